"""A file on its way into the store, which survives an interruption at any moment. Implements `interface.Incoming`.

Three files below `partial/`: NAME holds the bytes, NAME.validator what the server sent to identify them, NAME.lock is
locked while it is open. The validator is removed before the bytes it belongs to, and written after them: whenever the
process is killed, an existing validator describes the existing bytes.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from bundler.compress import crc32
from bundler.directory_walk import open_file_at, rename_at, unlink_at
from bundler.durable import storage_errors
from bundler.errors import ErrorId, IntegrityError
from bundler.lock_file import locked
from bundler.model.digest import Blob, Digest
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BLOCK_BYTES = 1024 * 1024
VALIDATOR_SUFFIX = ".validator"
LOCK_SUFFIX = ".lock"
# of names that no later run asks for again
SCRATCH_PREFIX = "made-"
_UNFINISHED_SUFFIX = ".new"
LONGEST_PLAIN_NAME = 200
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def file_name(name: str) -> str:
    """Return the file name of a partial file, without any dot: the name itself where it is plain, else its digest."""
    plain = name.replace(":", "-")
    if plain.isascii() and plain.replace("-", "").isalnum() and len(plain) <= LONGEST_PLAIN_NAME:
        return plain
    return f"url-{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()}"


@contextmanager
def incoming_file(directory: Path, name: str, admit: Callable[[Path, Blob, int], None]) -> Iterator[IncomingFile]:
    """Open the partial file of a name, alone; see `interface.BlobStore.incoming`.

    Arguments:
        admit: gives a verified file its final name; the number is the CRC-32 of its bytes.
    """
    path = directory / file_name(name)
    with locked(path.with_name(path.name + LOCK_SUFFIX), remove=True):
        partial = IncomingFile(path, admit)
        try:
            yield partial
        finally:
            partial.close()


class IncomingFile:
    """See `interface.Incoming`; made by `incoming_file`, which holds the lock."""

    def __init__(self, path: Path, admit: Callable[[Path, Blob, int], None]) -> None:
        self._path = path
        self._validator_path = path.with_name(path.name + VALIDATOR_SUFFIX)
        self._unfinished_path = path.with_name(path.name + VALIDATOR_SUFFIX + _UNFINISHED_SUFFIX)
        self._admit = admit
        with storage_errors(path):
            self._descriptor: int | None = _opened(path)
            self._offset = os.fstat(self._descriptor).st_size
            self._validator = self._kept_validator()
        self._sha256 = hashlib.sha256()
        self._crc32 = 0
        self._hashed = 0

    @property
    def offset(self) -> int:
        """Bytes that it holds already."""
        return self._offset

    @property
    def validator(self) -> str:
        """The validator of those bytes, or ""."""
        return self._validator

    def restart(self, validator: str) -> None:
        """Drop what it holds and keep the validator of the bytes about to arrive."""
        with storage_errors(self._path):
            unlink_at(self._validator_path)
            os.ftruncate(self._open_descriptor(), 0)
            self._offset = self._hashed = self._crc32 = 0
            self._sha256 = hashlib.sha256()
            self._validator = ""
            if validator:
                unlink_at(self._unfinished_path)
                with os.fdopen(open_file_at(self._unfinished_path, _NEW), "w", encoding="utf-8") as unfinished:
                    unfinished.write(validator)
                rename_at(self._unfinished_path, self._validator_path)
            self._validator = validator

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes; StorageError when the disk is full (the bytes that fitted are kept)."""
        self._hash_up_to_offset()
        rest = memoryview(data)
        with storage_errors(self._path):
            while rest:
                written = os.pwrite(self._open_descriptor(), rest, self._offset)
                self._hash(rest[:written])
                self._offset += written
                self._hashed = self._offset
                rest = rest[written:]

    def commit(self, *expected: Digest, size: int | None = None) -> Blob:
        """Check the whole against every expected digest and the size, then admit it.

        Raises IntegrityError, and drops the partial file, when any of them differs.
        """
        if size is not None and self._offset != size:
            raise self._wrong(
                tr("has another size"), tr("{size} bytes", size=size), tr("{offset} bytes", offset=self._offset)
            )
        blob = Blob(self.digest("sha256"), self._offset)
        for want in expected:
            got = self.digest(want.algorithm)
            if got != want:
                raise self._wrong(tr("has other bytes"), str(want), str(got))
        with storage_errors(self._path):
            os.fsync(self._open_descriptor())
        self._admit(self._path, blob, self._crc32)
        self._release()
        return blob

    def open(self) -> BinaryIO:
        """Open the bytes received so far for reading."""
        with storage_errors(self._path):
            return self._path.open("rb")

    def digest(self, algorithm: str) -> Digest:
        """Return the digest of all bytes held, `sha256` or `sha512`."""
        if algorithm == "sha256":
            self._hash_up_to_offset()
            return Digest(algorithm, self._sha256.hexdigest())
        with storage_errors(self._path), self._path.open("rb") as file:
            return Digest(algorithm, hashlib.file_digest(file, algorithm).hexdigest())

    def discard(self) -> None:
        """Drop the partial file for good."""
        if self._descriptor is not None:
            self._release()
            with storage_errors(self._path):
                unlink_at(self._path)

    def close(self) -> None:
        """Keep the bytes for the next run; an empty file is removed."""
        if self._descriptor is not None:
            if self._offset == 0:
                self.discard()
            else:
                os.close(self._descriptor)
                self._descriptor = None

    def _kept_validator(self) -> str:
        if self._offset == 0:
            # the process was killed just after the bytes were admitted or dropped
            unlink_at(self._validator_path)
            return ""
        try:
            return self._validator_path.read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeError):
            return ""

    def _release(self) -> None:
        with storage_errors(self._path):
            unlink_at(self._validator_path)
        os.close(self._open_descriptor())
        self._descriptor = None
        self._offset, self._validator = 0, ""

    def _hash_up_to_offset(self) -> None:
        """Hash the bytes of an earlier run; bytes written since are hashed already."""
        with storage_errors(self._path):
            while self._hashed < self._offset:
                block = os.pread(self._open_descriptor(), min(BLOCK_BYTES, self._offset - self._hashed), self._hashed)
                if not block:
                    raise OSError(errno.EIO, tr("the partial file was cut short by somebody else"))
                self._hash(block)
                self._hashed += len(block)

    def _hash(self, block: bytes | memoryview) -> None:
        self._sha256.update(block)
        self._crc32 = crc32(block, self._crc32)

    def _open_descriptor(self) -> int:
        if self._descriptor is None:
            raise ValueError(tr("the partial file was committed or discarded"))
        return self._descriptor

    def _wrong(self, what: str, want: str, got: str) -> IntegrityError:
        self.discard()
        return IntegrityError(
            ErrorId.DIGEST_MISMATCH,
            tr("what was received {what}", what=what),
            remedy=tr(
                "Run the same command again; if it is the same again, the upstream or a mirror gives wrong bytes."
            ),
            want=want,
            got=got,
        )


def _opened(path: Path) -> int:
    """Open the bytes of an earlier run, or none; what is no file, or also has another name, is not ours to write to."""
    flags = os.O_RDWR | os.O_NONBLOCK
    try:
        descriptor = open_file_at(path, flags | os.O_CREAT)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    else:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
            return descriptor
        os.close(descriptor)
    unlink_at(path)
    return open_file_at(path, flags | os.O_CREAT | os.O_EXCL)
