"""Reads wanted members of a tar archive in one pass, by the standard library's tarfile on a bounded stream."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, BinaryIO

from bundler.decompress import PlainReader, compression_of
from bundler.translation import tr
from bundler.upstream_archive.selection import Member
from bundler.upstream_archive.stream import CHUNK_BYTES, ForwardStream, invalid, unsafe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.upstream_archive.selection import Selection

_NOT_OURS = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!": "rar", b"\xed\xab\xee\xdb": "rpm"}


def tar_members(file: BinaryIO, head: bytes, selection: Selection) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """Yield wanted members as `read_members` does; `head` is how the file begins, and has been read from it."""
    plain = PlainReader(file, head, where=selection.where, compressed="archives")
    stream = ForwardStream(plain, selection.where, selection.limits)
    tar: tarfile.TarFile | None = None
    while (header := _next_header(stream, tar, head, selection.where)) is not None:
        tar, info = header
        # tarfile keeps every header for random access; a stream has no use for them
        tar.members = []  # type: ignore[attr-defined] # documented for no one, the usual way to forget headers
        kind, target = _tar_kind(info)
        if name := selection.wants(info.name, kind, info.size, target):
            stream.seek(info.offset_data)
            member = Member(name, info.size, _tar_date(info), bool(info.mode & 0o111))
            yield member, _tar_bytes(stream, member, selection.where)
    # tarfile takes a damaged header, or no header at all, for the end; the real end is a block of zeros (POSIX ustar)
    if not stream.last_read or stream.last_read.strip(b"\0"):
        raise invalid(tr("is damaged or cut short: it has no end-of-archive block"), selection.where)
    stream.drain()


def _next_header(
    stream: ForwardStream, tar: tarfile.TarFile | None, head: bytes, where: str
) -> tuple[tarfile.TarFile, tarfile.TarInfo] | None:
    try:
        if tar is None:
            tar = tarfile.TarFile(fileobj=stream, mode="r")  # type: ignore[arg-type] # it never writes or names it
        info = tar.next()
    except (tarfile.TarError, ValueError, KeyError, IndexError, OverflowError, EOFError) as error:
        if tar is None:
            raise invalid(
                tr(
                    "is no archive that can be read (tar, tar.gz, tar.bz2, tar.xz, tar.zst, zip){looks}",
                    looks=_looks(head),
                ),
                where,
            ) from None
        raise invalid(tr("is damaged: {error}", error=error), where) from error
    except RecursionError as error:
        raise unsafe(tr("has a chain of extended headers without end"), where) from error
    return None if info is None else (tar, info)


def _looks(head: bytes) -> str:
    if compression := compression_of(head):
        return tr(": it is {name} data that holds no tar archive", name=compression.name)
    for magic, name in _NOT_OURS.items():
        if head.startswith(magic):
            return tr(": it is {name}", name=name)
    return tr(": it begins with {head!r}", head=head[:40]) if head else tr(": it is empty")


def _tar_kind(info: tarfile.TarInfo) -> tuple[str, str]:
    if info.issparse():
        return tr("a sparse file"), ""
    if info.isreg():
        return "file", ""
    if info.isdir():
        return "directory", ""
    if info.issym() or info.islnk():
        return "link", info.linkname
    return tr("a device or pipe"), ""


def _tar_date(info: tarfile.TarInfo) -> int | None:
    return int(info.mtime) if 0 <= info.mtime < 2**33 else None


def _tar_bytes(stream: ForwardStream, member: Member, where: str) -> Iterator[bytes]:
    left = member.size
    while left:
        data = stream.read(min(CHUNK_BYTES, left))
        if not data:
            raise invalid(tr("is cut short inside the member {name!r}", name=member.name), where)
        left -= len(data)
        yield data
