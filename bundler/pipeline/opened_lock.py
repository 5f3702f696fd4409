"""Where locks are read from: the file beside a manifest, or whatever else holds one (an archive, an unpacked tree)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.archive.opened_bundle import described
from bundler.durable import storage_errors
from bundler.errors import BundleFormatError, ErrorId, ManifestError
from bundler.large_memory import expect_text
from bundler.model.artifacts import DECODERS
from bundler.model.bundle import LOCK_PATH, SUMS_PATH
from bundler.model.lock import Lock, decode_lock
from bundler.source.open_source import open_source
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.delta_marks import BaseShare
    from bundler.archive.packed_text import PackedText
    from bundler.model.digest import Digest
    from bundler.model.lock import Decoder
    from bundler.model.platform import Platform

LOCK_SUFFIX = ".json"


def lock_path(manifest: Path) -> Path:
    """Return STEM.lock.json beside STEM.yaml."""
    return manifest.with_name(f"{manifest.stem}.lock.json")


def read_lock(path: Path, decoders: Mapping[str, Decoder]) -> Lock | None:
    """Return the lock in a file, or None when there is no such file; raises as `decode_lock` does."""
    try:
        with path.open("rb") as stream:
            expect_text(os.fstat(stream.fileno()).st_size)
            return decode_lock(stream, decoders, file=str(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ManifestError(
            ErrorId.LOCK_INVALID,
            tr("cannot be read: {reason}", reason=error.strerror),
            where=str(path),
            remedy=tr("Mend its permissions."),
        ) from error


@dataclass(frozen=True, slots=True)
class BundleSummary:
    """What a bundle's index says of all of it; the index itself may be larger than the lock.

    Arguments:
        sums, signatures: the SHA-256 of its SHA256SUMS, and what was found of the signatures of that, by their paths.
        left: what its archive leaves to its bases, where it is one, and a delta.
    """

    id: str
    name: str
    release: str
    platforms: tuple[Platform, ...]
    file_count: int
    content_bytes: int
    sums: Digest
    signatures: Mapping[str, bytes]
    left: tuple[BaseShare, ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """A lock, and the bundle that it was found in (None for a lock file)."""

    lock: Lock
    bundle: BundleSummary | None


def read_contents(source: str, opened: Callable[[str], AbstractContextManager[BundleReader]] = open_source) -> Contents:
    """Read a lock (a file whose name ends in .json), or the description of a bundle.

    Arguments:
        opened: opens the bundle that a text names.

    Raises BundleFormatError (BUNDLE_NOT_FOUND for a lock that is absent, BUNDLE_INVALID for a bundle whose lock.json
    cannot be read), and as `decode_lock`, `opened` and `described` do.
    """
    path = Path(source)
    with storage_errors(path):
        is_lock = path.suffix == LOCK_SUFFIX and not path.is_dir()
    if not is_lock:
        summary, text = _opened(source, opened)
        return Contents(bundled_lock(text, source), summary)
    lock = read_lock(path, DECODERS)
    if lock is None:
        raise BundleFormatError(
            ErrorId.BUNDLE_NOT_FOUND, tr("there is no such lock"), where=str(path), remedy=tr("Check the path.")
        )
    return Contents(lock, None)


def _opened(
    source: str, opened: Callable[[str], AbstractContextManager[BundleReader]]
) -> tuple[BundleSummary, PackedText]:
    """Return what is needed of a bundle, whose index is let go: the text of its lock beside it."""
    with opened(source) as reader:
        bundle, sums, signatures = described(reader), reader.checked.listed[SUMS_PATH].blob.digest, reader.signatures
    index = bundle.index
    summary = BundleSummary(
        id=bundle.id,
        name=index.name,
        release=index.release,
        platforms=index.platforms,
        file_count=index.file_count,
        content_bytes=bundle.content_bytes,
        sums=sums,
        signatures=signatures,
        left=bundle.left,
    )
    return summary, bundle.lock


def bundled_lock(text: PackedText, source: str) -> Lock:
    """Read a bundle's lock.json; BundleFormatError when it is none."""
    where = f"{source}: {LOCK_PATH}"
    try:
        return decode_lock(text.open(), DECODERS, file=where)
    except ManifestError as error:
        # nobody mends the lock of a bundle: it is the listed one
        raise BundleFormatError(
            ErrorId.BUNDLE_INVALID,
            error.what,
            where=where,
            remedy=tr("Copy the bundle again; if that does not help, build it anew."),
        ) from error
