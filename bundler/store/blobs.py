"""The content store on disk: bytes enter by verify-then-rename and are found by their digest. docs/design.md, 5.

Layout: `sha256/ab/abcdef…` holds admitted blobs, `partial/` downloads under way (`partial.py`), `witness/` the records
of verified files (`verified_files.py`), `notes/` other names of blobs (`index.py`), `scratch/` what programs write
(`scratch.py`), `lock` is held by running builds (`use.py`). The directories' names are a format: caches have them.
Implements `interface.BlobStore`.
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bundler.directory_walk import make_directories, rename_at, unlink_at
from bundler.durable import storage_errors
from bundler.errors import ErrorId, IntegrityError, StorageError
from bundler.model.digest import Blob, Digest
from bundler.store.index import BlobIndex
from bundler.store.partial import SCRATCH_PREFIX, IncomingFile, incoming_file
from bundler.store.scratch import scratch_directory
from bundler.store.use import shared_use
from bundler.store.verified_files import VerifiedFiles
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


class Store:
    """A content store below one directory, which is made when it is first written to.

    Several processes and threads may use it at once.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blob_directory = root / "sha256"
        self.partial_directory = root / "partial"
        self.scratch_root = root / "scratch"
        self.verified = VerifiedFiles(root / "witness")
        self.index = BlobIndex(root / "notes")

    def in_use(self) -> AbstractContextManager[None]:
        """Keep `prune` away for as long as the context lasts; builds may share it. Waits for a running prune."""
        return shared_use(self.root)

    def has(self, blob: Blob) -> bool:
        """Tell whether the blob is there with the right size."""
        with storage_errors(self.root):
            try:
                return self.path(blob).stat().st_size == blob.size
            except (FileNotFoundError, NotADirectoryError):
                return False

    def path(self, blob: Blob) -> Path:
        """Return where the blob is, or would be."""
        return self.blob_directory / blob.digest.hex[:2] / blob.digest.hex

    def read(self, blob: Blob) -> bytes:
        """Return a small blob's bytes, verified; IntegrityError when they are damaged (the blob is then dropped)."""
        path = self.path(blob)
        with storage_errors(path):
            try:
                data = path.read_bytes()
            except FileNotFoundError as error:
                raise StorageError(
                    ErrorId.STORAGE_UNUSABLE,
                    tr("is no longer in the store"),
                    where=str(path),
                    remedy=tr("Run the same command again; it is fetched anew."),
                ) from error
        found = Blob.of(data)
        if found != blob:
            self.drop(blob)
            raise IntegrityError(
                ErrorId.DIGEST_MISMATCH,
                tr("was damaged on the disk and has been dropped"),
                where=str(path),
                remedy=tr("Run the same command again; it is fetched anew. If it happens again, check the disk."),
                want=str(blob.digest),
                got=str(found.digest),
            )
        return data

    def put(self, data: bytes) -> Blob:
        """Admit bytes held in memory; a damaged file of the same name is replaced."""
        blob = Blob.of(data)
        path = self.path(blob)
        with storage_errors(path), suppress(FileNotFoundError):
            if path.read_bytes() == data:
                return blob
        return self.admit([data], blob.digest)

    def incoming(self, name: str) -> AbstractContextManager[IncomingFile]:
        """Open the partial file of that name, waiting for another process that has it open."""
        return incoming_file(self.partial_directory, name, self._admitted)

    def admit(self, chunks: Iterable[bytes], *expected: Digest) -> Blob:
        """Admit bytes as they are produced, verified against the expected digests."""
        with self._scratch() as partial:
            for chunk in chunks:
                partial.write(chunk)
            return partial.commit(*expected)

    def scratch_directory(self) -> AbstractContextManager[Path]:
        """Make a directory for programs that write files by themselves; it is gone afterwards."""
        return scratch_directory(self.scratch_root)

    def drop(self, blob: Blob) -> None:
        """Remove a blob whose bytes turned out to be damaged."""
        path = self.path(blob)
        with storage_errors(path):
            unlink_at(path)
        self.verified.remove(blob)

    @contextmanager
    def _scratch(self) -> Iterator[IncomingFile]:
        with self.incoming(f"{SCRATCH_PREFIX}{os.getpid()}-{secrets.token_hex(8)}") as partial:
            try:
                yield partial
            finally:
                partial.discard()

    def _admitted(self, file: Path, blob: Blob, crc32: int) -> None:
        """Give a verified and synchronised file its final name."""
        path = self.path(blob)
        with storage_errors(path):
            if not path.parent.is_dir():
                make_directories(path.parent, mode=None)
            rename_at(file, path)
            status = path.stat()
        self.verified.record(blob, status, crc32)
