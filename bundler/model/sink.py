"""What the network asks of whoever keeps the bytes: a sink for those that arrive, pieces of those that are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bundler.model.digest import Digest


class Sink(Protocol):
    """A file in the making that survives an interruption, together with what identifies its bytes upstream."""

    @property
    def offset(self) -> int:
        """Bytes that it holds already."""

    @property
    def validator(self) -> str:
        """What `restart` was told of them, or ""."""

    def restart(self, validator: str) -> None:
        """Drop what it holds and remember the validator of what is about to come."""

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes; StorageError when the disk is full."""

    def digest(self, algorithm: str) -> Digest:
        """Return the digest of all bytes held, `sha256` or `sha512`."""


# from an offset on, to the end
Pieces = Callable[[int], Iterator[bytes | memoryview]]
