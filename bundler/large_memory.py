"""Memory of long texts, which the C library keeps for itself: an index or a lock of 50,000 files has 20 MB and more.

glibc gives a large block back to the system when it is freed, until the first one was: from then on blocks up to that
size lie among the small ones and leave holes (mallopt(3), M_MMAP_THRESHOLD, "dynamic"). Saying the limit once keeps it.
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

# shorter texts make no hole that matters, and the blocks in which files are read are better kept
LONG_TEXT_BYTES = 2 * 1024 * 1024
# malloc.h
_M_MMAP_THRESHOLD = -3


def expect_text(size: int) -> None:
    """Prepare for a text of so many bytes, before it is read."""
    if size >= LONG_TEXT_BYTES:
        _keep_limit()


@lru_cache(maxsize=1)
def _keep_limit() -> None:
    # takes a while to load, and few texts are long
    import ctypes

    # another C library has other habits, and not this function
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LONG_TEXT_BYTES)
