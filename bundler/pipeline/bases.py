"""What a delta may build on: locks, indexes, archives and trees that somebody names, as what the target has already.

Reads their descriptions only. A lock vouches for the paths of its artifacts, a bundle for everything that it lists, a
tree with a subset of one for that; whether a target really has it shows there.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.archive.checked_index import check_index
from bundler.archive.kept_subset import tree_subset
from bundler.archive.opened_bundle import described
from bundler.archive.packed_text import NO_TEXT, PackedText
from bundler.durable import storage_errors
from bundler.errors import BundleFormatError, ErrorId, ManifestError
from bundler.model.artifacts import DECODERS
from bundler.model.blob_set import BlobSet
from bundler.model.bundle import MAX_INDEX_BYTES
from bundler.model.delta_mark import Base
from bundler.model.digest import Digest
from bundler.model.lock import decode_lock, lock_pieces
from bundler.model.patch_recipe import MIN_BASE_BYTES
from bundler.pipeline.opened_lock import LOCK_SUFFIX
from bundler.source.open_source import open_source
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.model.bundle import BundleIndex
    from bundler.model.digest import Blob
    from bundler.model.lock import Decoder, Lock

# no bundle.json has it
_LOCKS_KEY = b'"entries"'


@dataclass(frozen=True, slots=True)
class OpenedBase:
    """One base.

    Arguments:
        base: what bundle.json calls it.
        blobs: what it vouches for.
        source: the archive or tree that has its content; None for a lock or an index.
        files: by path, what of it a patch may build on; nothing of a lock, which does not tell.
        lock_text: the bundle's lock.json; empty where nobody has it.
    """

    base: Base
    blobs: BlobSet
    source: str | None = None
    files: Mapping[str, Blob] = field(default_factory=dict)
    lock_text: PackedText = NO_TEXT


@dataclass(frozen=True, slots=True)
class Bases:
    """Several bases, in the order in which they are asked; none for an archive that carries everything."""

    opened: tuple[OpenedBase, ...] = ()

    @classmethod
    def of(cls, opened: Sequence[OpenedBase]) -> Bases:
        """Return them; one that is named twice counts once, in the form that tells most of its content."""
        distinct: dict[Base, OpenedBase] = {}
        for base in opened:
            distinct[base.base] = max(distinct.get(base.base, base), base, key=_telling)
        return cls(tuple(distinct.values()))

    def number_of(self, blob: Blob) -> int | None:
        """Return which of them vouches for a blob first, or None."""
        return next((number for number, base in enumerate(self.opened) if blob in base.blobs), None)

    def missing(self, blobs: Iterable[Blob]) -> list[Blob]:
        """Return the blobs that none of them vouches for."""
        return [blob for blob in blobs if self.number_of(blob) is None]


NO_BASES = Bases()


def _telling(base: OpenedBase) -> tuple[int, bool]:
    return len(base.blobs), base.source is not None


def open_bases(sources: Sequence[str], decoders: Mapping[str, Decoder] = DECODERS) -> Bases:
    """Read what bases vouch for.

    Arguments:
        sources: each a lock or a bundle.json (both *.json), an archive, one of its parts, or a tree.
        decoders: for each kind's name, what reads one of its artifacts from a lock.

    Raises ManifestError (LOCK_INVALID), BundleFormatError, IntegrityError, StorageError.
    """
    return Bases.of([_open_base(source, decoders) for source in sources])


def _open_base(source: str, decoders: Mapping[str, Decoder]) -> OpenedBase:
    path = Path(source)
    with storage_errors(path):
        is_document = path.suffix == LOCK_SUFFIX and not path.is_dir()
    if is_document:
        return _from_document(path, decoders)
    with open_source(source) as reader:
        bundle = described(reader)
        subset = None if reader.gives_all else tree_subset(path, reader.checked)
    index = bundle.index
    if subset is not None:
        index = replace(index, files=tuple(filter(subset.wants, index.files)))
    # the rest of a large bundle's description is let go before the manifest is read
    return _of_bundle(bundle.id, index, source, bundle.lock)


def _from_document(path: Path, decoders: Mapping[str, Decoder]) -> OpenedBase:
    with storage_errors(path):
        data = path.read_bytes()
    try:
        return _of_lock(decode_lock(data, decoders, file=str(path)))
    except ManifestError as error:
        if len(data) > MAX_INDEX_BYTES or _LOCKS_KEY in data:
            raise
        try:
            checked = check_index(data, str(path))
        except BundleFormatError as other:
            if other.id is ErrorId.BUNDLE_FORMAT_NEWER:
                raise
            raise _neither(path) from error
    return _of_bundle(checked.id, checked.index)


def _neither(path: Path) -> BundleFormatError:
    return BundleFormatError(
        ErrorId.BUNDLE_NOT_FOUND,
        tr("is neither a lock nor a bundle.json"),
        where=str(path),
        remedy=tr("Give --base the lock, bundle.json, archive or tree of what the site has."),
    )


def _of_bundle(bundle_id: str, index: BundleIndex, source: str | None = None, lock: PackedText = NO_TEXT) -> OpenedBase:
    files: dict[str, Blob] = {file.path: file.blob for file in index.files if file.blob.size > MIN_BASE_BYTES}
    return OpenedBase(Base(bundle_id), BlobSet(file.blob for file in index.files), source, files, lock)


def _of_lock(lock: Lock) -> OpenedBase:
    digest = hashlib.sha256()
    for piece in lock_pieces(lock):
        digest.update(piece)
    placed = (blob for entry in lock.entries for artifact in entry.artifacts for blob in artifact.placed.values())
    return OpenedBase(Base(lock=Digest("sha256", digest.hexdigest())), BlobSet(placed))
