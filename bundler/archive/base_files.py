"""Content that the bundles of a root hold already, by digest: what a delta leaves to its bases.

Owns the comparison before: a file that has rotted counts as not there, and is named.
"""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.open_beneath import open_directory, open_file
from bundler.archive.tree import readable_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from io import FileIO

    from bundler.archive.bundle_root import BundleRoot
    from bundler.model.digest import Digest


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file below a root: the bundle's directory in it, and the path there."""

    directory: str
    path: str


@dataclass(frozen=True, slots=True)
class BaseFiles:
    """What was found of some content.

    Arguments:
        found: an intact file for each digest that some bundle holds.
        rotted: paths below the root of files that should hold wanted content, and do not.
    """

    root: BundleRoot
    found: Mapping[Digest, HeldFile]
    rotted: tuple[str, ...]

    def open(self, digest: Digest) -> FileIO:
        """Open an intact file; whoever reads it compares once more. Raises OSError when it is gone by now."""
        held = self.found[digest]
        stream = _opened(self.root, held)
        if stream is None:
            raise FileNotFoundError(f"{self.root.path}/{held.directory}/{held.path}")
        return stream


def find_base_files(root: BundleRoot, wanted: Iterable[Digest]) -> BaseFiles:
    """Look for content in all bundles of a root. Raises OSError when the root cannot be read."""
    missing = set(wanted)
    found: dict[Digest, HeldFile] = {}
    rotted: list[str] = []
    for directory in root.directories() if missing else ():
        for digest, paths in _held(root, directory, missing).items():
            for path in paths:
                held = HeldFile(directory, path)
                intact = _is_intact(root, held, digest)
                if intact:
                    found[digest] = held
                    missing.discard(digest)
                    break
                if intact is not None:
                    rotted.append(f"{directory}/{path}")
    return BaseFiles(root, found, tuple(rotted))


def _held(root: BundleRoot, directory: str, wanted: set[Digest]) -> Mapping[Digest, list[str]]:
    """Return, by digest, the paths at which a bundle lists wanted content; none when its index cannot be read."""
    held: defaultdict[Digest, list[str]] = defaultdict(list)
    for file in readable_files(root.path / directory):
        if file.blob.digest in wanted:
            held[file.blob.digest].append(file.path)
    return held


def _is_intact(root: BundleRoot, held: HeldFile, digest: Digest) -> bool | None:
    """Tell whether a file holds what is listed; None when it is absent, as in a tree that holds a subset."""
    try:
        stream = _opened(root, held)
    except FileNotFoundError:
        return None
    except OSError:
        return False
    if stream is None:
        return False
    with stream:
        try:
            return hashlib.file_digest(stream, "sha256").hexdigest() == digest.hex
        except OSError:
            return False


def _opened(root: BundleRoot, held: HeldFile) -> FileIO | None:
    bundle = open_directory(root.descriptor, held.directory)
    try:
        descriptor = open_file(bundle, held.path)
    finally:
        os.close(bundle)
    return None if descriptor is None else os.fdopen(descriptor, "rb", buffering=0)
