"""Which blobs there are, told by their digests alone: 32 bytes for each, however many a bundle has."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundler.model.digest import Blob

_ROW_BYTES = 32


class BlobSet:
    """A set of blobs that can be asked and counted, and not listed.

    Arguments:
        blobs: what is in it.
    """

    __slots__ = ("_rows",)

    def __init__(self, blobs: Iterable[Blob] = ()) -> None:
        self._rows = b"".join(sorted({blob.digest.value for blob in blobs}))

    def __len__(self) -> int:
        return len(self._rows) // _ROW_BYTES

    def __contains__(self, blob: Blob) -> bool:
        wanted = blob.digest.value
        place = bisect_left(range(len(self)), wanted, key=self._row)
        return place < len(self) and self._row(place) == wanted

    def _row(self, place: int) -> bytes:
        return self._rows[place * _ROW_BYTES : (place + 1) * _ROW_BYTES]
