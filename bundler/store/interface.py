"""What the rest of bundler asks of the content store; `store/blobs.py` implements it on disk. Design section 5."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO, Protocol

from bundler.model.sink import Sink

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bundler.model.digest import Blob, Digest


@dataclass(frozen=True, slots=True)
class Note:
    """What is remembered under a name: a blob that was in the store then, and texts whose meaning is the writer's."""

    blob: Blob
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Incoming(Sink, Protocol):
    """A partial file on its way into the store; it is locked against other processes while open."""

    def commit(self, *expected: Digest, size: int | None = None) -> Blob:
        """Check the whole against every expected digest (sha256 or sha512) and the size, then admit it.

        Raises IntegrityError, and drops the partial file, when it is something else.
        """

    def open(self) -> BinaryIO:
        """Open what has arrived for reading (an archive whose members are wanted, not the archive itself)."""

    def discard(self) -> None:
        """Drop the partial file for good: its bytes are wrong, or no longer needed."""


class BlobStore(Protocol):
    """Content-addressed bytes: they enter only by verify-then-rename."""

    def has(self, blob: Blob) -> bool:
        """Tell whether the blob is there with the right size (its bytes are checked whenever they are read)."""

    def path(self, blob: Blob) -> Path:
        """Return the file of a blob that is there."""

    def read(self, blob: Blob) -> bytes:
        """Return a small blob's bytes, verified; IntegrityError when they are damaged (the entry is then dropped)."""

    def put(self, data: bytes) -> Blob:
        """Admit bytes at hand."""

    def incoming(self, name: str) -> AbstractContextManager[Incoming]:
        """Open the partial file of that name (a digest or a URL), resuming it when an earlier run left one.

        Waits for another process that has it open, so look once more whether the blob has arrived meanwhile.
        Leaving the context without `commit` or `discard` keeps the bytes.
        """

    def admit(self, chunks: Iterable[bytes], *expected: Digest) -> Blob:
        """Admit bytes that are made on the spot (a member of an archive), verified against what is expected."""

    def drop(self, blob: Blob) -> None:
        """Remove a blob whose bytes turned out to be damaged."""

    def recall(self, name: str) -> Note | None:
        """Return what was remembered under a name, or None.

        It is a hint and no more: the blob may be gone, and whoever uses it checks that it is what the name says.
        """

    def remember(self, name: str, note: Note) -> None:
        """Remember something under a name (a URL, a digest of another kind), instead of what was; may be forgotten."""

    def forget(self, name: str) -> None:
        """Remember nothing under a name."""
