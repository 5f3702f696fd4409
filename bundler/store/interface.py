"""What the rest of bundler needs of the content store; `store/blobs.py` implements it on disk. docs/design.md, 5."""

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
class IndexRecord:
    """What the index holds for a name: a blob that was in the store then, and texts whose meaning is the writer's."""

    blob: Blob
    fields: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Index(Protocol):
    """Other names of blobs: a URL, a digest of another algorithm.

    A record is a hint and no more: it may be lost, its blob may be gone, and whoever uses it checks that the blob is
    what the name says.
    """

    def get(self, name: str) -> IndexRecord | None:
        """Return the record of a name, or None."""

    def put(self, name: str, record: IndexRecord) -> None:
        """Keep a record under a name, replacing an earlier one."""

    def remove(self, name: str) -> None:
        """Drop the record of a name."""


class Incoming(Sink, Protocol):
    """A partial file on its way into the store; it is locked against other processes while open."""

    def commit(self, *expected: Digest, size: int | None = None) -> Blob:
        """Check the whole against every expected digest (sha256 or sha512) and the size, then admit it.

        Raises IntegrityError, and drops the partial file, when any of them differs.
        """

    def open(self) -> BinaryIO:
        """Open the bytes received so far for reading (an archive of which only members are wanted)."""

    def discard(self) -> None:
        """Drop the partial file for good: its bytes are wrong, or no longer needed."""


class BlobStore(Protocol):
    """Content-addressed bytes: they enter only by verify-then-rename."""

    @property
    def index(self) -> Index:
        """Other names of its blobs."""

    def has(self, blob: Blob) -> bool:
        """Tell whether the blob is there with the right size (its bytes are checked whenever they are read)."""

    def path(self, blob: Blob) -> Path:
        """Return the file of a blob that is there."""

    def read(self, blob: Blob) -> bytes:
        """Return a small blob's bytes, verified; IntegrityError when they are damaged (the blob is then dropped)."""

    def put(self, data: bytes) -> Blob:
        """Admit bytes held in memory."""

    def incoming(self, name: str) -> AbstractContextManager[Incoming]:
        """Open the partial file of that name (a digest or a URL), resuming it when an earlier run left one.

        Waits for another process that has it open, so check again afterwards whether the blob has arrived.
        Leaving the context without `commit` or `discard` keeps the bytes.
        """

    def admit(self, chunks: Iterable[bytes], *expected: Digest) -> Blob:
        """Admit bytes as they are produced (a member of an archive), verified against the expected digests."""

    def scratch_directory(self) -> AbstractContextManager[Path]:
        """Make a directory of mode 0700 for programs that write files by themselves; it is gone afterwards."""

    def drop(self, blob: Blob) -> None:
        """Remove a blob whose bytes turned out to be damaged."""
