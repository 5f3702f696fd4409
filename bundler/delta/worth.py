"""Whether a patch is worth what it costs to apply: how it compares with carrying the file whole."""

from __future__ import annotations

from bundler.compress import DEFLATER

# a patch, its recipe included, is smaller than this part of what it takes the place of
NUMERATOR, DENOMINATOR = 3, 4
_BLOCK_BYTES = 1024 * 1024


class PatchWorth:
    """How large the patch of a file may be.

    Arguments:
        size: of the file, in bytes.
        is_packed: whether it is compressed, and so takes its size; archives deflate the others.
    """

    def __init__(self, size: int, *, is_packed: bool) -> None:
        self._is_packed = is_packed
        self._most_bytes = size

    def see(self, contents: memoryview) -> None:
        """Take the next bytes of the contents."""
        if self._is_packed:
            return
        for at in range(0, len(contents), _BLOCK_BYTES):
            block = contents[at : at + _BLOCK_BYTES]
            self._most_bytes -= max(0, len(block) - len(DEFLATER.deflate(block)))

    def allows(self, patch_bytes: int) -> bool:
        """Tell whether a patch of so many bytes is worth it, as far as the contents were seen."""
        return patch_bytes * DENOMINATOR < self._most_bytes * NUMERATOR
