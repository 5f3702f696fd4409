"""SHA-256 in a thread of its own, so that reading or writing continues meanwhile."""

from __future__ import annotations

import hashlib
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# for fewer bytes, handing them to the thread costs more than hashing them
WORTH_HANDING_OVER_BYTES = 64 * 1024
MAX_WAITING = 6


class HashThread:
    """Digests of one byte sequence after another, at most MAX_WAITING pieces behind; used as a context."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "sha256")
        self._waiting: deque[Future[None]] = deque()
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def begin(self) -> None:
        """Start a new digest."""
        self._digest = hashlib.sha256()

    def update(self, data: bytes | memoryview) -> None:
        """Add bytes, which must not change until the digest is taken."""
        if len(data) < WORTH_HANDING_OVER_BYTES:
            self._drain(0)
            self._digest.update(data)
            return
        self._waiting.append(self._pool.submit(self._digest.update, data))
        self._drain(MAX_WAITING)

    def update_all(self, pieces: Sequence[bytes | memoryview], then: Callable[[], None]) -> None:
        """Add bytes in pieces, which must not change until `then` is called in the thread."""

        def add() -> None:
            for piece in pieces:
                self._digest.update(piece)
            then()

        self._waiting.append(self._pool.submit(add))
        self._drain(MAX_WAITING)

    def hex(self) -> str:
        """Return the hex digest of all bytes since `begin`."""
        self._drain(0)
        return self._digest.hexdigest()

    def _drain(self, keep: int) -> None:
        while len(self._waiting) > keep:
            self._waiting.popleft().result()
