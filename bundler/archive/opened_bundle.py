"""A bundle's description without reading all of it: its index, manifest and lock, from an archive or a tree."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.archive_reader import open_archive
from bundler.archive.faults import damaged
from bundler.archive.tree import is_tree, read_beneath, tree_index
from bundler.model.bundle import LOCK_PATH, MANIFEST_PATH, MAX_INDEX_BYTES
from bundler.model.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.checked_index import CheckedIndex
    from bundler.model.bundle import BundleIndex

WANTED = (MANIFEST_PATH, LOCK_PATH)


@dataclass(frozen=True, slots=True)
class OpenedBundle:
    """A bundle's own description, checked against its index.

    Arguments:
        where: the archive's name or the tree's directory.
        id: the bundle's id in full.
        manifest, lock: the bytes of manifest.yaml and lock.json; b"" when the index lists none.
    """

    where: str
    id: str
    index: BundleIndex
    manifest: bytes
    lock: bytes


def open_bundle(path: Path) -> OpenedBundle:
    """Read the description of an archive (only its beginning), one of its parts, or an unpacked tree.

    Raises BundleFormatError (BUNDLE_NOT_FOUND, BUNDLE_INVALID, BUNDLE_FORMAT_NEWER), IntegrityError (manifest.yaml or
    lock.json are missing or not the listed ones; what `open_archive` raises), StorageError.
    """
    return _from_tree(path) if is_tree(path) else _from_archive(path)


def _from_tree(root: Path) -> OpenedBundle:
    checked = tree_index(root)
    texts = {path: read_beneath(root, path, MAX_INDEX_BYTES) for path in WANTED if path in checked.listed}
    return _described(checked, {path: text for path, text in texts.items() if text is not None})


def _from_archive(path: Path) -> OpenedBundle:
    texts: dict[str, bytes] = {}
    with open_archive(path) as archive:
        wanted = [path for path in WANTED if path in archive.checked.listed]
        for file in archive.files():
            if file.path in wanted and file.size <= MAX_INDEX_BYTES:
                texts[file.path] = b"".join(file.chunks)
            if len(texts) == len(wanted):
                break
        return _described(archive.checked, texts)


def _described(checked: CheckedIndex, texts: dict[str, bytes]) -> OpenedBundle:
    for path in WANTED:
        listed = checked.listed.get(path)
        if listed is not None and (path not in texts or Digest.sha256(texts[path]) != listed.blob.digest):
            got = "other bytes" if path in texts else "no such file"
            raise damaged(checked.where, f"{path} is not the listed one", want=str(listed.blob.digest), got=got)
    return OpenedBundle(
        where=os.fspath(checked.where),
        id=checked.id,
        index=checked.index,
        manifest=texts.get(MANIFEST_PATH, b""),
        lock=texts.get(LOCK_PATH, b""),
    )
