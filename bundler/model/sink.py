"""What the network needs of the keeper of the bytes: a sink for those that arrive, pieces of those that are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bundler.model.digest import Digest

# yields content from an offset (in bytes) to its end; a piece may be overwritten once the next one is taken
Pieces = Callable[[int], Iterator[bytes | memoryview]]


class Sink(Protocol):
    """A file in the making that survives an interruption, together with what identifies its bytes upstream."""

    @property
    def offset(self) -> int:
        """Bytes that it holds already."""

    @property
    def validator(self) -> str:
        """The validator that `restart` was given for them, or ""."""

    def restart(self, validator: str) -> None:
        """Drop what it holds and keep the validator of the bytes about to arrive."""

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes; StorageError when the disk is full."""

    def digest(self, algorithm: str) -> Digest:
        """Return the digest of all bytes held, `sha256` or `sha512`."""
