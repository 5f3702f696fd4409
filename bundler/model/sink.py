"""Where bytes that arrive are put: what the network asks of it, and the store's partial files are."""

from __future__ import annotations

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
