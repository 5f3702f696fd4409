"""A `BlobStore` that keeps everything in memory; `path` writes a blob out to a directory of the test's."""

from __future__ import annotations

import hashlib
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from bundler.errors import ErrorId, IntegrityError
from bundler.model.digest import Blob, Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from bundler.store.interface import IndexRecord


def _check(data: bytes, expected: Iterable[Digest], size: int | None) -> None:
    if size is not None and len(data) != size:
        raise IntegrityError(
            ErrorId.DIGEST_MISMATCH, "has another size", remedy="Fetch it again.", want=str(size), got=str(len(data))
        )
    for want in expected:
        got = Digest(want.algorithm, hashlib.new(want.algorithm, data).hexdigest())
        if got != want:
            raise IntegrityError(
                ErrorId.DIGEST_MISMATCH, "holds other bytes", remedy="Fetch it again.", want=str(want), got=str(got)
            )


class MemoryIncoming:
    """A partial file in memory; what was written survives under its name, as on disk."""

    def __init__(self, store: MemoryStore, name: str) -> None:
        self._store = store
        self._name = name
        self.data = bytearray()
        self.validator = ""

    @property
    def offset(self) -> int:
        """Bytes that it holds already."""
        return len(self.data)

    def restart(self, validator: str) -> None:
        """Drop what it holds."""
        self.data.clear()
        self.validator = validator

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes."""
        self.data += data

    def commit(self, *expected: Digest, size: int | None = None) -> Blob:
        """Check and admit."""
        data = bytes(self.data)
        self.discard()
        _check(data, expected, size)
        return self._store.put(data)

    def open(self) -> BinaryIO:
        """Open what has arrived."""
        return io.BytesIO(bytes(self.data))

    def digest(self, algorithm: str) -> Digest:
        """Return the digest of what has arrived."""
        return Digest(algorithm, hashlib.new(algorithm, self.data).hexdigest())

    def discard(self) -> None:
        """Drop it for good."""
        self.data.clear()
        self.validator = ""
        self._store.partial.pop(self._name, None)


class MemoryIndex:
    """Records in a dictionary, `records`."""

    def __init__(self) -> None:
        self.records: dict[str, IndexRecord] = {}

    def get(self, name: str) -> IndexRecord | None:
        """Return the record of a name."""
        return self.records.get(name)

    def put(self, name: str, record: IndexRecord) -> None:
        """Keep a record under a name."""
        self.records[name] = record

    def remove(self, name: str) -> None:
        """Drop the record of a name."""
        self.records.pop(name, None)


class MemoryStore:
    """Verified blobs in a dictionary.

    Arguments:
        root: where `path` writes a blob that is asked for by path.
        blobs: what it holds, digest -> bytes; a test may damage an entry.
        partial: the partial files that were left, by name.
        index: other names of blobs.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.blobs: dict[Digest, bytes] = {}
        self.partial: dict[str, MemoryIncoming] = {}
        self.index = MemoryIndex()

    def has(self, blob: Blob) -> bool:
        """Tell whether the blob is there with the right size."""
        return blob.digest in self.blobs and len(self.blobs[blob.digest]) == blob.size

    def path(self, blob: Blob) -> Path:
        """Write the blob out and return where."""
        self._root.mkdir(parents=True, exist_ok=True)
        path = self._root / blob.digest.hex
        path.write_bytes(self.blobs[blob.digest])
        return path

    def read(self, blob: Blob) -> bytes:
        """Return a blob's bytes, verified."""
        data = self.blobs.get(blob.digest, b"")
        try:
            _check(data, [blob.digest], blob.size)
        except IntegrityError:
            self.drop(blob)
            raise
        return data

    def put(self, data: bytes) -> Blob:
        """Admit bytes at hand."""
        blob = Blob.of(data)
        self.blobs[blob.digest] = data
        return blob

    @contextmanager
    def incoming(self, name: str) -> Iterator[MemoryIncoming]:
        """Open the partial file of that name."""
        incoming = self.partial.setdefault(name, MemoryIncoming(self, name))
        try:
            yield incoming
        finally:
            if not incoming.data:
                self.partial.pop(name, None)

    def admit(self, chunks: Iterable[bytes], *expected: Digest) -> Blob:
        """Admit bytes that are made on the spot."""
        data = b"".join(chunks)
        _check(data, expected, None)
        return self.put(data)

    @contextmanager
    def scratch_directory(self) -> Iterator[Path]:
        """Make a directory of the test's, which stays to be looked at."""
        directory = self._root / f"scratch-{len(list(self._root.glob('scratch-*')))}"
        directory.mkdir(parents=True)
        yield directory

    def drop(self, blob: Blob) -> None:
        """Remove a blob."""
        self.blobs.pop(blob.digest, None)
