"""From placements to the complete list of a bundle's files. Pure; owns the rule that paths do not collide."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.archive.delta_marks import NO_MARKS, DeltaMarks
from bundler.compress import DEFLATER
from bundler.errors import ErrorId, ManifestError
from bundler.model.bundle import (
    INDEX_PATH,
    LOCK_PATH,
    MANIFEST_PATH,
    SBOM_PATH,
    SUMS_PATH,
    BundleIndex,
    IndexedFile,
    index_pieces,
    sums_pieces,
)
from bundler.model.placement import Placement
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bundler.model.bundle_path import BundlePath
    from bundler.model.digest import Digest
    from bundler.model.placement import KeptText
    from bundler.model.platform import Platform

OWN_KIND = "bundle"


@dataclass(frozen=True, slots=True)
class BundleFiles:
    """A bundle about to be written; `files` hold bundle.json and SHA256SUMS too."""

    id: str
    index: BundleIndex
    files: tuple[Placement, ...]


def bundle_files(
    placements: Sequence[Placement],
    *,
    name: str,
    release: str,
    platforms: Sequence[Platform],
    manifest: Digest,
    manifest_text: bytes | KeptText,
    lock_text: Iterable[bytes],
    keep: Callable[[Iterable[bytes]], bytes | KeptText] = b"".join,
    bill: Callable[[BundleIndex], Iterable[bytes]] | None = None,
    delta: DeltaMarks = NO_MARKS,
) -> BundleFiles:
    """Add manifest.yaml, lock.json, bundle.json and SHA256SUMS to what the kinds have placed.

    Arguments:
        placements: everything else, in any order.
        manifest: digest of the manifest's meaning, as the lock records it.
        manifest_text, lock_text: the content of the two files in the bundle, the latter in pieces.
        keep: takes a long text in pieces until the bundle is written.
        bill: returns sbom.cdx.json, in pieces, for an index that lists everything else; None for a bundle without.
        delta: what the archive leaves out.

    Raises ManifestError when two paths are equal (also after case folding and NFC), or one is a directory of another.
    """
    lock = Placement(LOCK_PATH, keep(lock_text), OWN_KIND)
    listed = (*placements, Placement(MANIFEST_PATH, manifest_text, OWN_KIND), lock)
    if problems := path_problems((INDEX_PATH, SUMS_PATH, SBOM_PATH, *(file.path for file in listed))):
        raise ManifestError(
            ErrorId.MANIFEST_INVALID,
            tr("{count} paths of the bundle get in each other's way", count=len(problems)),
            where=name,
            remedy=tr("Give the entries other paths."),
            problems=problems,
        )
    index = BundleIndex(
        name=name,
        release=release,
        manifest=manifest,
        lock=lock.blob.digest,
        platforms=tuple(platforms),
        files=_indexed_all(listed),
        deflate=DEFLATER.name,
    )
    if bill is not None:
        listed = (*listed, Placement(SBOM_PATH, keep(bill(index)), OWN_KIND))
        index = replace(index, files=_indexed_all(listed))
    index = delta.marked(index)
    own = Placement(INDEX_PATH, keep(index_pieces(index)), OWN_KIND)
    sums = Placement(SUMS_PATH, keep(sums_pieces(index.files, own.blob.digest)), OWN_KIND)
    return BundleFiles(own.blob.digest.hex, index, (own, sums, *listed))


def is_deflated_here(index: BundleIndex) -> bool:
    """Tell whether a bundle was compressed as this version compresses."""
    return index.deflate == DEFLATER.name


def path_problems(paths: Iterable[BundlePath]) -> list[str]:
    """Return a line for every path that cannot lie beside the others on every file system, in a stable order."""
    problems: list[str] = []
    files: dict[str, BundlePath] = {}
    directories: dict[str, BundlePath] = {}
    for path in sorted(paths, key=lambda path: path.encode()):
        key = path.collision_key
        if key in files:
            same = files[key] == path
            problems.append(
                tr("{path}: placed twice", path=path)
                if same
                else tr("{path}: differs from {files} only in case", path=path, files=files[key])
            )
        files.setdefault(key, path)
        parent = key.rpartition("/")[0]
        # what lies above a known directory is known as well
        while parent and parent not in directories:
            directories[parent] = path
            parent = parent.rpartition("/")[0]
    problems += [
        tr("{path}: is a file, and {directories} needs a directory there", path=path, directories=directories[key])
        for key, path in files.items()
        if key in directories
    ]
    return problems


def _indexed_all(files: Iterable[Placement]) -> tuple[IndexedFile, ...]:
    return tuple(sorted((_indexed(file) for file in files), key=lambda file: file.path.encode()))


def _indexed(file: Placement) -> IndexedFile:
    return IndexedFile(
        path=file.path,
        blob=file.blob,
        mode=file.mode,
        kind=file.kind,
        roles=file.roles,
        platforms=file.platforms,
        about=file.about,
    )
