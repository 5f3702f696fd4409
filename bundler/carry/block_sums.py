"""The SHA-256 of each block of a set, as far as they are known, and the rows in which they are written down.

A row has a check of its own: one that a bad sector has hit is left out, and does not take the others with it. It is
looked for anywhere in a text, whatever else has become of that. Sums take 32 bytes of memory each.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SUM_BYTES = 32
# few, for a bad sector takes away whole rows
ROW_SUMS = 8
_ROW = re.compile(rb'"(?P<row>(?P<first>[0-9]{8}) (?P<sums>(?:[0-9a-f]{64}){1,8})) (?P<check>[0-9a-f]{8})"')
MAX_ROW_BYTES = 600


class BlockSums:
    """Sums of so many blocks, none of them known at first."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.unknown = total
        self._sums = bytearray(total * SUM_BYTES)
        self._known = bytearray(total)

    def __getitem__(self, number: int) -> bytes | None:
        """Return the sum of a block, None where it is not known."""
        begin = number * SUM_BYTES
        return bytes(self._sums[begin : begin + SUM_BYTES]) if self._known[number] else None

    def __setitem__(self, number: int, digest: bytes) -> None:
        """Keep the sum of a block."""
        self._sums[number * SUM_BYTES : (number + 1) * SUM_BYTES] = digest
        self.unknown -= 1 - self._known[number]
        self._known[number] = 1

    def rows(self) -> Iterator[str]:
        """Yield the rows: the number of the first block, sums in hex without a space, and the CRC-32 of all before it.

        All sums are known by then.
        """
        for first in range(0, self.total, ROW_SUMS):
            end = min(first + ROW_SUMS, self.total)
            row = f"{first:08} {self._sums[first * SUM_BYTES : end * SUM_BYTES].hex()}"
            yield f"{row} {zlib.crc32(row.encode()):08x}"

    def take_rows(self, text: bytes) -> int:
        """Take what is not known yet from the rows in a text; return how many intact rows it has."""
        taken = 0
        for match in _ROW.finditer(text):
            first, sums = int(match["first"]), bytes.fromhex(match["sums"].decode())
            count = min(ROW_SUMS, self.total - first)
            intact = zlib.crc32(match["row"]) == int(match["check"], 16)
            if not intact or first % ROW_SUMS or len(sums) != count * SUM_BYTES:
                continue
            taken += 1
            for number in range(first, first + count):
                if not self._known[number]:
                    at = (number - first) * SUM_BYTES
                    self[number] = sums[at : at + SUM_BYTES]
        return taken


def rows_bytes(total: int) -> int:
    """Return about how many bytes the rows of so many blocks take in an index: no less."""
    return -(-total // ROW_SUMS) * (ROW_SUMS * SUM_BYTES * 2 + len('    "00000000  00000000",\n'))
