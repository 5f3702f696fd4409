"""A file that is one gzip member: where its header ends, and its trailer (RFC 1952)."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from bundler.model.patch_recipe import MAX_HEADER_BYTES, MIN_HEADER_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TRAILER_BYTES = 8
_MAGIC = b"\x1f\x8b\x08"
# RFC 1952, 2.3.1: the flags
_FHCRC, _FEXTRA, _FNAME, _FCOMMENT, _RESERVED = 0x02, 0x04, 0x08, 0x10, 0xE0


def is_gzip(head: bytes) -> bool:
    """Tell whether a file that begins so is a gzip file."""
    return head.startswith(_MAGIC)


def gzip_header(head: bytes) -> bytes | None:
    """Return the header of a member, None for none, or one of more than MAX_HEADER_BYTES.

    Arguments:
        head: the file's first MAX_HEADER_BYTES, fewer only of a shorter file.
    """
    if len(head) < MIN_HEADER_BYTES or not is_gzip(head) or (flags := head[3]) & _RESERVED:
        return None
    end = MIN_HEADER_BYTES
    if flags & _FEXTRA:
        end += 2 + int.from_bytes(head[end : end + 2], "little")
    for flag in (_FNAME, _FCOMMENT):
        if flags & flag:
            # -1, where it has no end, becomes 0
            end = head.find(b"\0", end) + 1
            if not end:
                return None
    if flags & _FHCRC:
        end += 2
    return head[:end] if end <= min(len(head), MAX_HEADER_BYTES) else None


class TrailerSum:
    """What ends a member: CRC-32 and length of its contents."""

    def __init__(self) -> None:
        self._crc = 0
        self._length = 0

    def passed(self, contents: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the contents as they are."""
        for piece in contents:
            self._crc = zlib.crc32(piece, self._crc)
            self._length += len(piece)
            yield piece

    def trailer(self) -> bytes:
        """Return the trailer after the contents so far."""
        return struct.pack("<II", self._crc, self._length & 0xFFFFFFFF)
