"""An archive's compressed bytes, member by member, held to the one form that `gzip_block` writes.

Owns what can be seen without compressing again: header bytes, the CRC-32 and length behind each member, how many plain
bytes it holds, and that nothing follows the last one. What only compressing again can tell (bits of a deflate stream
that no plain byte depends on) is `exact_form`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from isal import isal_zlib

from bundler.archive.faults import damaged, other_form
from bundler.archive.gzip_block import MEMBER_BYTES
from bundler.compress import GZIP_HEADER, GZIP_TRAILER_BYTES, gzip_trailer
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Generator

    from bundler.errors import IntegrityError

READ_BYTES = 128 * 1024
RAW_DEFLATE = -15
InflateError: type[Exception] = isal_zlib.error  # type: ignore[assignment] # the stub says instance, it is a class


class GzipMember(NamedTuple):
    """One member: where it begins in the archive (in bytes), its deflate stream, and the content."""

    offset: int
    deflated: bytes
    plain: bytes


def gzip_members(raw: BinaryIO, where: str, *, keep_deflated: bool = False) -> Generator[GzipMember]:
    """Yield the members of an archive; an empty file has none.

    Arguments:
        keep_deflated: whether the deflate streams are wanted; without it they are b"".

    Raises IntegrityError (BUNDLE_DAMAGED) at the first byte that bundler does not write, StorageError.
    """
    source = _GzipBytes(raw)
    short = False
    while source.more():
        offset = source.offset
        if short:
            raise other_form(
                where,
                tr("at byte {offset}", offset=offset),
                want=tr("the end"),
                got=tr("more members after a short one"),
            )
        member = _member(source, offset, where, keep_deflated=keep_deflated)
        short = len(member.plain) < MEMBER_BYTES
        yield member


def _member(source: _GzipBytes, offset: int, where: str, *, keep_deflated: bool) -> GzipMember:
    header = source.take(len(GZIP_HEADER))
    if header != GZIP_HEADER:
        raise other_form(
            where,
            tr("at byte {offset}", offset=offset),
            want=tr("the gzip header {gzip_header}", gzip_header=GZIP_HEADER.hex()),
            got=header.hex(),
        )
    inflater = isal_zlib.decompressobj(RAW_DEFLATE)
    deflated, plain, count = [], [], 0
    while not inflater.eof:
        piece = source.some()
        if not piece:
            raise _cut_short(where, offset)
        try:
            content = inflater.decompress(piece, MEMBER_BYTES + 1 - count)
        except InflateError as error:
            raise damaged(
                where,
                tr("the compressed data are damaged"),
                want="deflate",
                got=tr("{error} near byte {offset}", error=error, offset=offset),
            ) from error
        plain.append(content)
        count += len(content)
        if count > MEMBER_BYTES:
            raise other_form(
                where,
                tr("at byte {offset}", offset=offset),
                want=tr("members of {member_bytes} bytes", member_bytes=MEMBER_BYTES),
                got=tr("a longer one"),
            )
        rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        if keep_deflated:
            deflated.append(piece[: len(piece) - len(rest)])
        source.give_back(rest)
    block = b"".join(plain)
    want, got = gzip_trailer(block), source.take(GZIP_TRAILER_BYTES)
    if len(got) < len(want):
        raise _cut_short(where, offset)
    if got != want:
        raise damaged(
            where, tr("the content of the member at byte {offset}", offset=offset), want=want.hex(), got=got.hex()
        )
    return GzipMember(offset, b"".join(deflated), block)


class _GzipBytes:
    """The archive's bytes, some of which may be given back; `offset` is that of the next one."""

    def __init__(self, raw: BinaryIO) -> None:
        self.offset = 0
        self._raw = raw
        self._rest = b""

    def more(self) -> bool:
        """Tell whether anything is left."""
        self._rest = self._rest or self._raw.read(READ_BYTES)
        return bool(self._rest)

    def some(self) -> bytes:
        """Return the next bytes, b"" at the end."""
        piece, self._rest = (self._rest, b"") if self.more() else (b"", b"")
        self.offset += len(piece)
        return piece

    def give_back(self, piece: bytes) -> None:
        """Take back the end of what was returned last."""
        self.offset -= len(piece)
        self._rest = piece

    def take(self, count: int) -> bytes:
        """Return so many bytes, or all that are left."""
        piece = self.some()
        while len(piece) < count and (more := self.some()):
            piece += more
        self.give_back(piece[count:])
        return piece[:count]


def _cut_short(where: str, offset: int) -> IntegrityError:
    got = tr("its end within the member at byte {offset}", offset=offset)
    return damaged(where, tr("the archive is cut short, or followed by garbage"), want=tr("a whole archive"), got=got)
