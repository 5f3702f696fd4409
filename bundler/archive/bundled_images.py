"""The images of an unpacked bundle: their table, and each as an archive made while it is read.

Owns that no byte of an image is believed: the table is the one that bundle.json lists, every blob is hashed on its way,
and what makes an image of the blobs comes after all of them.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.faults import damaged, invalid
from bundler.archive.open_beneath import open_file, open_root
from bundler.archive.tar_header import RECORD_BYTES, encode_header, padding
from bundler.archive.tree import read_beneath, tree_index
from bundler.durable import storage_errors
from bundler.errors import BundleFormatError, ErrorId
from bundler.model.digest import Digest
from bundler.model.image.layout import blob_path
from bundler.model.image.table import TABLE_PATH, TabledImage, archive_documents, blob_member, read_images_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bundler.archive.checked_index import CheckedIndex
    from bundler.model.bundle import IndexedFile
    from bundler.model.progress import Task

READ_BYTES = 1024 * 1024
FILE_MODE = 0o644
NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class HeldImages:
    """What `open_images` yields; good only within its context.

    Arguments:
        where: the directory, for messages.
        images: every line of the table.
    """

    where: str
    images: tuple[TabledImage, ...]
    _root: int
    _listed: Mapping[str, IndexedFile]

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
            raise self._damaged(path, str(digest), "no such file in bundle.json")
        size = listed.blob.size
        descriptor = self._open(path, str(digest))
        try:
            with storage_errors(f"{self.where}/{path}"):
                found = os.fstat(descriptor).st_size
            if found != size:
                raise self._damaged(path, f"{size} bytes", f"{found}")
            yield encode_header(blob_member(digest).encode(), size=size, mode=FILE_MODE, mtime=0)
            yield from self._content(descriptor, path, digest, size, task)
            yield bytes(padding(size))
        finally:
            os.close(descriptor)

    def _open(self, path: str, want: str) -> int:
        with storage_errors(f"{self.where}/{path}"):
            try:
                descriptor = open_file(self._root, path)
            except FileNotFoundError:
                raise self._damaged(path, want, NOTHING) from None
        if descriptor is None:
            raise self._damaged(path, want, "something that is no regular file")
        return descriptor

    def _content(self, descriptor: int, path: str, digest: Digest, size: int, task: Task) -> Iterator[bytes]:
        hashed, left = hashlib.sha256(), size
        while left:
            with storage_errors(f"{self.where}/{path}"):
                block = os.read(descriptor, min(left, READ_BYTES))
            if not block:
                raise self._damaged(path, f"{size} bytes", f"{size - left}")
            left -= len(block)
            hashed.update(block)
            # the last block stays here until the digest is known
            if not left and hashed.hexdigest() != digest.hex:
                raise self._damaged(path, str(digest), f"sha256:{hashed.hexdigest()}")
            task.advance(len(block))
            yield block

    def _damaged(self, path: str, want: str, got: str) -> Exception:
        return damaged(f"{self.where}/{path}", "this blob is not the one that was bundled", want=want, got=got)


@contextmanager
def open_images(root: Path) -> Iterator[HeldImages]:
    """Open the images of an unpacked bundle; no other file of it is looked at.

    Raises BundleFormatError (no bundle, one without images, a table that cannot be read), IntegrityError when the
    table is not the listed one, StorageError.
    """
    contents = tree_index(root)
    images = _table(contents, root)
    with storage_errors(root):
        descriptor = open_root(root)
    try:
        yield HeldImages(contents.where, images, descriptor, contents.listed)
    finally:
        os.close(descriptor)


def _table(contents: CheckedIndex, root: Path) -> tuple[TabledImage, ...]:
    listed = contents.listed.get(TABLE_PATH)
    if listed is None:
        raise BundleFormatError(
            ErrorId.IMAGE_NOT_IN_BUNDLE,
            "this bundle holds no images",
            where=contents.where,
            remedy="Name the directory of a bundle that has some with --root; `bundler inspect` shows what one holds.",
        )
    where = f"{contents.where}/{TABLE_PATH}"
    data = read_beneath(root, TABLE_PATH, listed.blob.size)
    got = NOTHING if data is None else str(Digest.sha256(data))
    if data is None or got != str(listed.blob.digest):
        raise damaged(
            where, "the table of images is not the one that was bundled", want=str(listed.blob.digest), got=got
        )
    try:
        return read_images_table(data)
    except ValueError as error:
        raise invalid(where, f"the table of images cannot be read: {error}") from error
