"""The images of an unpacked bundle, open for whoever loads or sends them: their blobs, and each image as an archive.

Owns that no byte of an image is believed: what they are is what bundle.json lists, every blob of an archive is hashed
on its way, and what makes an image of the blobs comes after all of them. Follows no link below the root.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.archive.faults import damaged, invalid
from bundler.archive.kept_subset import read_subset
from bundler.archive.open_beneath import open_file, open_root
from bundler.archive.tar_header import RECORD_BYTES, encode_header, padding
from bundler.archive.tree import examine_files, read_beneath, tree_index
from bundler.durable import storage_error, storage_errors
from bundler.errors import BundleFormatError, ErrorId
from bundler.model.digest import Digest
from bundler.model.image.blob_paths import blob_path
from bundler.model.image.bundled import bundle_images
from bundler.model.image.table import TABLE_PATH, TabledImage, archive_documents, blob_member, read_images_table
from bundler.model.subset import is_all_wanted
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from bundler.archive.checked_index import CheckedIndex
    from bundler.archive.tree import FileState
    from bundler.errors import BundlerError, IntegrityError
    from bundler.model.bundle import IndexedFile
    from bundler.model.digest import Blob
    from bundler.model.progress import Task
    from bundler.model.sink import Pieces
    from bundler.model.subset import Subset

READ_BYTES = 1024 * 1024
# sending one has to end within the time that a line may be silent: at 2 KiB/s it just does
PIECE_BYTES = 128 * 1024
FILE_MODE = 0o644
NOTHING = "nothing"
# what lies where a blob should
_GOT = {"missing": NOTHING, "changed": tr("something that is no regular file")}


class BundledImages:
    """What `open_images` yields: good only within its context, safe for many threads.

    Arguments:
        where: the directory, for messages.
        images: what bundle.json lists, without those that a subset leaves out.
    """

    def __init__(self, root: Path, descriptor: int, checked: CheckedIndex, subset: Subset | None = None) -> None:
        self._is_here = is_all_wanted(subset)
        self.where = checked.where
        self.images = tuple(image for image in bundle_images(checked.index.files) if self._is_here(image.files))
        self._path = root
        self._root = descriptor
        self._listed = checked.listed

    def table(self) -> tuple[TabledImage, ...]:
        """Return the lines of the table: the images for one platform each, as engines load them, if they are here.

        Raises BundleFormatError (no images, a table that cannot be read), IntegrityError when it is not the listed one,
        StorageError.
        """
        table = _table(self._path, self.where, self._listed.get(TABLE_PATH))
        return tuple(image for image in table if self._is_here(self._files(image)))

    def _files(self, image: TabledImage) -> Iterator[IndexedFile]:
        # a blob that is not listed is an error of whoever loads it
        return (file for digest in image.blobs if (file := self._listed.get(blob_path(digest))) is not None)

    def archive(self, image: TabledImage, task: Task) -> Iterator[bytes]:
        """Yield a tar of one image, in blocks of up to READ_BYTES; holds no more than one of them.

        It is an OCI layout and a docker-archive over the same blobs. Each blob is compared with its digest before
        the documents follow by which an engine would take them for an image: whoever gets an archive that was cut
        short by an error has none. Raises IntegrityError (BUNDLE_DAMAGED) that names the blob, StorageError.
        """
        written = 0
        for block in self._members(image, task):
            written += len(block)
            yield block
        yield bytes(2 * RECORD_BYTES - written % RECORD_BYTES)

    def damaged(self, files: Iterable[IndexedFile], task: Task) -> Mapping[str, BundlerError]:
        """Compare files with what the index lists; returns what is wrong, by path."""
        return {
            file.path: storage_error(f"{self.where}/{file.path}", state)
            if isinstance(state, OSError)
            else self._not_listed(file, state)
            for file, state in examine_files(self._root, files, task)
            if state != "intact"
        }

    def read(self, file: IndexedFile) -> bytes:
        """Return a small file's bytes. Raises IntegrityError, StorageError."""
        return b"".join(bytes(piece) for piece in self.pieces(file)(0))

    def pieces(self, file: IndexedFile) -> Pieces:
        """Return what yields a file's bytes from an offset on, in one buffer. Raises IntegrityError, StorageError."""

        def from_offset(offset: int) -> Iterator[memoryview]:
            with storage_errors(self.where):
                descriptor = self._open(file.path, lambda state: self._not_listed(file, state))
                try:
                    buffer = bytearray(min(PIECE_BYTES, file.blob.size))
                    while offset < file.blob.size:
                        count = os.preadv(descriptor, [buffer], offset)
                        if not count:
                            raise self._not_listed(file, "changed")
                        yield memoryview(buffer)[: min(count, file.blob.size - offset)]
                        offset += count
                finally:
                    os.close(descriptor)

        return from_offset

    def _members(self, image: TabledImage, task: Task) -> Iterator[bytes]:
        for digest in image.blobs:
            yield from self._blob(digest, task)
        for name, document in archive_documents(image).items():
            yield encode_header(name.encode(), size=len(document), mode=FILE_MODE, mtime=0)
            yield document + bytes(padding(len(document)))

    def _blob(self, digest: Digest, task: Task) -> Iterator[bytes]:
        path = blob_path(digest)
        listed = self._listed.get(path)
        if listed is None or listed.blob.digest != digest:
            raise self._not_bundled(path, str(digest), tr("no such file in bundle.json"))
        size = listed.blob.size
        with storage_errors(f"{self.where}/{path}"):
            descriptor = self._open(path, lambda state: self._not_bundled(path, str(digest), _GOT[state]))
        try:
            with storage_errors(f"{self.where}/{path}"):
                found = os.fstat(descriptor).st_size
            if found != size:
                raise self._not_bundled(path, tr("{size} bytes", size=size), f"{found}")
            yield encode_header(blob_member(digest).encode(), size=size, mode=FILE_MODE, mtime=0)
            yield from self._content(descriptor, path, listed.blob, task)
            yield bytes(padding(size))
        finally:
            os.close(descriptor)

    def _content(self, descriptor: int, path: str, blob: Blob, task: Task) -> Iterator[bytes]:
        hashed, left = hashlib.sha256(), blob.size
        while left:
            with storage_errors(f"{self.where}/{path}"):
                block = os.read(descriptor, min(left, READ_BYTES))
            if not block:
                raise self._not_bundled(path, tr("{size} bytes", size=blob.size), f"{blob.size - left}")
            left -= len(block)
            hashed.update(block)
            # the last block stays here until the digest is known
            if not left and hashed.hexdigest() != blob.digest.hex:
                raise self._not_bundled(path, str(blob.digest), f"sha256:{hashed.hexdigest()}")
            task.advance(len(block))
            yield block

    def _open(self, path: str, fault: Callable[[FileState], IntegrityError]) -> int:
        """Return a descriptor; raises the fault of a file that is missing, or is no regular one and so has changed."""
        try:
            descriptor = open_file(self._root, path)
        except FileNotFoundError:
            raise fault("missing") from None
        if descriptor is None:
            raise fault("changed")
        return descriptor

    def _not_listed(self, file: IndexedFile, state: FileState) -> IntegrityError:
        got = tr("no such file") if state == "missing" else tr("other bytes")
        return damaged(
            self.where, tr("{path} is not the listed one", path=file.path), want=str(file.blob.digest), got=got
        )

    def _not_bundled(self, path: str, want: str, got: str) -> IntegrityError:
        return damaged(f"{self.where}/{path}", tr("this blob is not the one that was bundled"), want=want, got=got)


@contextmanager
def open_images(root: Path) -> Iterator[BundledImages]:
    """Open the images of an unpacked bundle; nothing but its bundle.json is read yet.

    Raises BundleFormatError when there is no bundle or none that can be read, StorageError.
    """
    checked = tree_index(root)
    with storage_errors(root):
        descriptor = open_root(root)
    try:
        with storage_errors(root):
            subset = read_subset(descriptor, checked)
        yield BundledImages(root, descriptor, checked, subset)
    finally:
        os.close(descriptor)


def _table(root: Path, where: str, listed: IndexedFile | None) -> tuple[TabledImage, ...]:
    if listed is None:
        raise BundleFormatError(
            ErrorId.IMAGE_NOT_IN_BUNDLE,
            tr("this bundle holds no images"),
            where=where,
            remedy=tr(
                "Name the directory of a bundle that has some with --root; `bundler inspect` shows what one holds."
            ),
        )
    where = f"{where}/{TABLE_PATH}"
    data = read_beneath(root, TABLE_PATH, listed.blob.size)
    got = NOTHING if data is None else str(Digest.sha256(data))
    if data is None or got != str(listed.blob.digest):
        raise damaged(
            where, tr("the table of images is not the one that was bundled"), want=str(listed.blob.digest), got=got
        )
    try:
        return read_images_table(data)
    except ValueError as error:
        raise invalid(where, tr("the table of images cannot be read: {error}", error=error)) from error
