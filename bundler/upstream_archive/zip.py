"""Reads wanted members of a zip archive (PKWARE APPNOTE), by the standard library's zipfile on a capped file."""

from __future__ import annotations

import calendar
import datetime as dt
import stat
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, BinaryIO

from bundler.translation import tr
from bundler.upstream_archive.selection import Member
from bundler.upstream_archive.stream import CHUNK_BYTES, invalid, read_some, unsafe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.upstream_archive.selection import Selection

ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")


class _CappedFile:
    """A file for zipfile that refuses to be read in large pieces: the directory's size is what the archive claims."""

    def __init__(self, file: BinaryIO, selection: Selection) -> None:
        self._file = file
        self._census = selection
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, count: int = -1) -> bytes:
        """Read at most `count` bytes; SourceError when that is more than a directory may have."""
        if not 0 <= count <= self._census.limits.directory_bytes:
            count = self._census.limits.directory_bytes + 1
        data = read_some(self._file, count, self._census.where)
        if len(data) > self._census.limits.directory_bytes:
            raise unsafe(tr("has an oversized directory"), self._census.where)
        return data


_ZIP_FAULTS = (zipfile.BadZipFile, EOFError, OSError, ValueError, KeyError, IndexError, RuntimeError)


def _inflate_faults() -> tuple[type[Exception], ...]:
    """Return what zipfile lets through as well; a lying LZMA dictionary may ask for more memory than there is."""
    try:
        import lzma
    except ImportError:
        # zipfile refuses such members itself where Python was built without it
        return (zlib.error, MemoryError)
    return (zlib.error, lzma.LZMAError, MemoryError)


_READING_FAULTS: tuple[type[Exception], ...] = (*_ZIP_FAULTS, *_inflate_faults())


def zip_members(file: BinaryIO, selection: Selection) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """Yield wanted members as `read_members` does."""
    capped = _CappedFile(file, selection)
    try:
        archive = zipfile.ZipFile(capped)
    except _ZIP_FAULTS as error:
        raise invalid(tr("is a damaged zip archive: {error}", error=error), selection.where) from error
    packed = file.seek(0, 2)
    with archive:
        for info in archive.infolist():
            name = selection.wants(info.filename, _zip_kind(info), info.file_size)
            if not name:
                continue
            if info.flag_bits & 1:
                raise invalid(tr("the wanted member {name!r} is encrypted", name=name), selection.where)
            executable = bool((info.external_attr >> 16) & 0o111)
            member = Member(name, info.file_size, _zip_date(info), executable)
            yield member, _zip_bytes(archive, info, member, packed, selection)


def _zip_kind(info: zipfile.ZipInfo) -> str:
    """Return what a member is; only archivers of Unix keep its type, in the upper half (APPNOTE 4.4.15)."""
    if info.filename.endswith("/"):
        return "directory"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "link"
    return "file" if kind in (0, stat.S_IFREG) else tr("a device or pipe")


def _zip_date(info: zipfile.ZipInfo) -> int | None:
    """Return the date, taken as UTC since the format has no zone; None when it is not one."""
    try:
        return calendar.timegm(dt.datetime(*info.date_time, tzinfo=dt.UTC).timetuple())
    except ValueError:
        return None


def _zip_bytes(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, member: Member, packed: int, selection: Selection
) -> Iterator[bytes]:
    count = 0
    stream: IO[bytes] | None = None
    while True:
        try:
            stream = stream or archive.open(info)
            data = stream.read(CHUNK_BYTES)
        except _READING_FAULTS as error:
            raise invalid(
                tr("the member {name!r} is damaged: {error}", name=member.name, error=error), selection.where
            ) from error
        if not data:
            break
        count += len(data)
        selection.unpacked += len(data)
        selection.limits.check_ratio(packed, selection.unpacked, selection.where)
        yield data
    if count != member.size:
        raise unsafe(
            tr(
                "the member {name!r} has {count:,} bytes and claims {size:,}",
                name=member.name,
                count=count,
                size=member.size,
            ),
            selection.where,
        )
