"""A bundle's description without reading all of it: its index, manifest and lock, wherever it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.delta_marks import base_shares
from bundler.archive.faults import damaged
from bundler.archive.packed_text import NO_TEXT, PackedText
from bundler.model.bundle import LOCK_PATH, MANIFEST_PATH, MAX_INDEX_BYTES
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.delta_marks import BaseShare
    from bundler.model.bundle import BundleIndex

WANTED = (MANIFEST_PATH, LOCK_PATH)


@dataclass(frozen=True, slots=True)
class OpenedBundle:
    """A bundle's own description, checked against its index.

    Arguments:
        where: the archive's name or the tree's directory.
        id: the bundle's id in full.
        content_bytes: those of all its files, bundle.json and SHA256SUMS included.
        manifest, lock: manifest.yaml and lock.json; empty when the index lists none.
        left: what its archive leaves to its bases, where it is one, and a delta.
    """

    where: str
    id: str
    index: BundleIndex
    content_bytes: int
    manifest: PackedText
    lock: PackedText
    left: tuple[BaseShare, ...]


def described(reader: BundleReader) -> OpenedBundle:
    """Read the description of a bundle; of an archive only its beginning.

    Raises IntegrityError (manifest.yaml or lock.json are missing or not the listed ones), and what the reader raises.
    """
    wanted = frozenset(path for path in WANTED if path in reader.checked.listed)
    texts: dict[str, PackedText] = {}
    for file in reader.files(wanted) if wanted else ():
        if file.path in wanted and file.size <= MAX_INDEX_BYTES:
            texts[file.path] = PackedText.of(file.chunks)
        if len(texts) == len(wanted):
            break
    return _described(reader, texts)


def _described(reader: BundleReader, texts: dict[str, PackedText]) -> OpenedBundle:
    checked = reader.checked
    for path in WANTED:
        listed = checked.listed.get(path)
        if listed is not None and (path not in texts or texts[path].digest != listed.blob.digest):
            got = tr("other bytes") if path in texts else tr("no such file")
            raise damaged(
                checked.where, tr("{path} is not the listed one", path=path), want=str(listed.blob.digest), got=got
            )
    return OpenedBundle(
        where=os.fspath(checked.where),
        id=checked.id,
        index=checked.index,
        content_bytes=checked.total_bytes,
        manifest=texts.get(MANIFEST_PATH, NO_TEXT),
        lock=texts.get(LOCK_PATH, NO_TEXT),
        left=base_shares(checked.index) if reader.gives_all else (),
    )
