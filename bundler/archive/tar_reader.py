"""Members of an untrusted tar stream.

Reads GNU, ustar and pax archives, so that all faults of what another tar has packed can be named. Accepts files and
directories with safe, unique names and nothing else. Refuses to know what a bundle lists; `archive_reader` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from bundler.archive.faults import damaged, unsafe
from bundler.archive.tar_header import (
    BLOCK_BYTES,
    DIRECTORY,
    FILE,
    LONG_NAME,
    OLD_FILE,
    PAX_GLOBAL_HEADER,
    PAX_HEADER,
    RawHeader,
    decode_header,
    padding,
)
from bundler.model.bundle_path import BundlePath
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_EXTENSION_BYTES = 64 * 1024
MAX_EXTENSIONS = 4
# the largest value of the octal field; file systems and utimensat support no dates far beyond it
MAX_MTIME = 8**11 - 1
# far more than the largest blocking factor in use; more zeros than this are not padding
MAX_PADDING_BYTES = 1024 * 1024
_KINDS = {
    b"1": tr("a hard link"),
    b"2": tr("a symbolic link"),
    b"3": tr("a character device"),
    b"4": tr("a block device"),
    b"6": "a fifo",
}
_SAFE = tr("plain files and directories")


@dataclass(frozen=True, slots=True)
class TarMember:
    """One file or directory; `size` in bytes, `mtime` in seconds since the epoch, `header`: all blocks before it."""

    path: BundlePath
    directory: bool
    size: int
    mtime: int
    header: bytes


class TarReader:
    """Walks a tar stream member by member.

    Arguments:
        chunks: the plain tar bytes.
        where: the archive's name, for messages.
    """

    def __init__(self, chunks: Iterator[bytes], where: str) -> None:
        self._chunks = chunks
        self._where = where
        self._chunk = memoryview(b"")
        self._headers: list[bytes] = []
        self._left = 0
        self._skip = 0
        self._seen: set[str] = set()
        self._last = tr("its beginning")

    def members(self) -> Iterator[TarMember]:
        """Yield members in archive order; unread content is skipped.

        Raises IntegrityError: ARCHIVE_UNSAFE (paths that leave the root, links, devices, duplicates), BUNDLE_DAMAGED
        (truncation, trailing garbage, invalid headers).
        """
        name: bytes | None = None
        extensions = 0
        while (header := self._header()) is not None:
            if header.type_flag in (LONG_NAME, PAX_HEADER, PAX_GLOBAL_HEADER):
                extensions += 1
                name = self._extension(header, extensions) or name
                continue
            member = self._member(header, name)
            name, extensions = None, 0
            self._headers.clear()
            self._left, self._skip = header.size, padding(header.size)
            if member is not None:
                self._last = member.path
                yield member

    def content(self) -> Iterator[memoryview]:
        """Yield the content of the member that `members` yielded last."""
        while self._left:
            piece = self._some(self._left)
            self._left -= len(piece)
            yield piece

    def _some(self, limit: int) -> memoryview:
        if not self._chunk:
            data = next(self._chunks, None)
            if data is None:
                raise damaged(
                    self._where,
                    tr("the archive ends within {last}", last=self._last),
                    want=tr("its end"),
                    got=tr("no more bytes"),
                )
            self._chunk = memoryview(data)
        piece, self._chunk = self._chunk[:limit], self._chunk[limit:]
        return piece

    def _exactly(self, count: int) -> bytes:
        piece = self._some(count)
        if len(piece) == count:
            return bytes(piece)
        pieces = [piece]
        while (count := count - len(pieces[-1])) > 0:
            pieces.append(self._some(count))
        return b"".join(pieces)

    def _header(self) -> RawHeader | None:
        for _ in self.content():
            pass
        while self._skip:
            piece = self._some(self._skip)
            self._skip -= len(piece)
            if any(piece):
                raise unsafe(
                    self._where,
                    tr("something follows {last}", last=self._last),
                    want=tr("zeros"),
                    got=tr("other bytes"),
                )
        block = self._exactly(BLOCK_BYTES)
        self._headers.append(block)
        if not any(block):
            self._end()
            return None
        try:
            return decode_header(block)
        except ValueError as error:
            raise damaged(
                self._where, tr("what follows {last}", last=self._last), want=tr("a tar header"), got=str(error)
            ) from error

    def _end(self) -> None:
        if any(self._exactly(BLOCK_BYTES)):
            raise damaged(
                self._where, tr("the end after {last}", last=self._last), want=tr("two blocks of zeros"), got="one"
            )
        zeros = 0
        for data in chain((bytes(self._chunk),), self._chunks):
            zeros += len(data)
            if data.count(0) < len(data) or zeros > MAX_PADDING_BYTES:
                raise unsafe(
                    self._where,
                    tr("something follows the end of the archive"),
                    want=tr("nothing"),
                    got=tr("more bytes"),
                )

    def _extension(self, header: RawHeader, count: int) -> bytes | None:
        """Return the name that an extension header gives to the next member, or None when it has none."""
        if header.size > MAX_EXTENSION_BYTES or count > MAX_EXTENSIONS:
            limit = tr(
                "at most {max_extensions} of {max_extension_bytes} bytes",
                max_extensions=MAX_EXTENSIONS,
                max_extension_bytes=MAX_EXTENSION_BYTES,
            )
            got = tr("number {count} of {size} bytes", count=count, size=header.size)
            raise unsafe(self._where, tr("too many headers after {last}", last=self._last), want=limit, got=got)
        data = self._exactly(header.size) if header.size else b""
        self._skip = padding(header.size)
        self._headers.append(data + bytes(self._skip))
        if header.type_flag == LONG_NAME:
            return data.partition(b"\0")[0]
        if header.type_flag == PAX_GLOBAL_HEADER:
            return None
        try:
            return _pax_path(data)
        except ValueError as error:
            raise damaged(
                self._where, tr("a header after {last}", last=self._last), want=tr("pax records"), got=str(error)
            ) from error

    def _member(self, header: RawHeader, long_name: bytes | None) -> TarMember | None:
        raw = header.name if long_name is None else long_name
        shown = repr(raw.decode("utf-8", "backslashreplace"))
        if header.type_flag not in (FILE, OLD_FILE, DIRECTORY):
            kind = _KINDS.get(header.type_flag, tr("a member of type {type_flag!r}", type_flag=header.type_flag))
            raise unsafe(self._where, tr("{shown} is {kind}", shown=shown, kind=kind), want=_SAFE, got=kind)
        directory = header.type_flag == DIRECTORY or raw.endswith(b"/")
        if directory and header.size:
            raise unsafe(
                self._where,
                tr("{shown} is a directory with content", shown=shown),
                want="0 bytes",
                got=str(header.size),
            )
        while raw.startswith(b"./"):
            raw = raw[2:].lstrip(b"/")
        raw = raw.rstrip(b"/") if directory else raw
        root = directory and raw in (b"", b".")
        try:
            path = None if root else BundlePath(raw.decode())
        except ValueError as error:
            raise unsafe(
                self._where, tr("{shown} is not a safe path", shown=shown), want=tr("a relative path"), got=str(error)
            ) from error
        if (path or "") in self._seen:
            raise unsafe(
                self._where, tr("{shown} is there twice", shown=shown), want=tr("unique names"), got="a duplicate"
            )
        self._seen.add(path or "")
        if path is None:
            return None
        headers = b"".join(self._headers)
        return TarMember(path, directory, header.size, min(header.mtime, MAX_MTIME), headers)


def _pax_path(data: bytes) -> bytes | None:
    """Return the path in pax records (POSIX pax, "pax Extended Header"), or None. Raises ValueError."""
    path = None
    while data:
        length, space, _ = data.partition(b" ")
        if not space or not length.isdigit() or not len(length) + 1 < int(length) <= len(data):
            raise ValueError(tr("a record has a wrong length"))
        record, data = data[len(length) + 1 : int(length)], data[int(length) :]
        key, equals, value = record.rstrip(b"\n").partition(b"=")
        if not equals or key in (b"size", b"linkpath") or key.startswith(b"GNU.sparse"):
            raise ValueError(tr("the record {key!r} is not accepted", key=key.decode("utf-8", "backslashreplace")))
        if key == b"path":
            path = value
    return path
