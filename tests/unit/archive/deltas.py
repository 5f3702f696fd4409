"""Small deltas for the tests of bundler.archive: an old bundle, a new one, and an archive of what lies between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.bundle_files import BundleFiles, bundle_files
from bundler.archive.unpack_beside import unpack_beside
from bundler.archive.writer import write_archive
from bundler.model.blob_set import BlobSet
from bundler.model.delta_mark import Base
from bundler.model.digest import Digest
from bundler.model.platform import Platform
from bundler.model.progress import Unwatched
from bundler.model.subset import ALL, Choice
from bundler.pipeline.bases import Bases, OpenedBase
from bundler.pipeline.delta_choice import delta_marks
from bundler.source.open_source import open_source
from tests.unit.archive.bundles import CONTENTS, sample, tree_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bundler.archive.delta_marks import DeltaMarks
    from bundler.archive.unpack import Unpacked
    from bundler.model.placement import Placement
    from tests.fakes.store import MemoryStore

CHANGED = "kubeedge/random.tar.gz"
NEW_CONTENTS: Mapping[str, bytes] = {
    **CONTENTS,
    CHANGED: b"another one",
    "kubeedge/copy/keadm-amd64": CONTENTS["kubeedge/keadm-amd64"],
}


@dataclass(frozen=True)
class Delta:
    """A base as an archive, the next bundle as a full archive and as a delta, and what a tree of the latter holds."""

    base: Path
    full: Path
    archive: Path
    bundle: BundleFiles
    base_id: str
    store: MemoryStore

    @property
    def tree(self) -> dict[str, bytes]:
        """Path -> bytes of the completed tree."""
        return tree_of(self.bundle, self.store.blobs)


def delta(directory: Path, contents: Mapping[str, bytes] = NEW_CONTENTS) -> Delta:
    """Write base.tar.gz, full.tar.gz and delta.tar.gz."""
    old, new = sample(directory / "old", name="old"), sample(directory / "new", contents)
    old.write(directory / "base.tar.gz")
    new.write(directory / "full.tar.gz")
    bases = Bases.of([OpenedBase(Base(old.bundle.id), BlobSet(file.blob for file in old.bundle.index.files))])
    placements = [file for file in new.bundle.files if file.kind == "files"]
    marks = delta_marks(placements, bases, None)
    bundle = write_delta(directory / "delta.tar.gz", placements, marks, new.store)
    base, full, archive = (directory / name for name in ("base.tar.gz", "full.tar.gz", "delta.tar.gz"))
    return Delta(base, full, archive, bundle, old.bundle.id, new.store)


def write_delta(
    out: Path,
    placements: list[Placement],
    marks: DeltaMarks,
    store: MemoryStore,
    *,
    carried: frozenset[str] = frozenset(),
    missing: frozenset[str] = frozenset(),
    patches: Sequence[Placement] = (),
) -> BundleFiles:
    """Write the archive of a bundle with these marks.

    Arguments:
        carried, missing: paths for which it lies: marked and there all the same, unmarked and absent.
        patches: further members, which no index lists.
    """
    bundle = bundle_files(
        placements,
        name="demo",
        release="2025.03",
        platforms=[Platform("linux", "amd64")],
        manifest=Digest.sha256(b"meaning"),
        manifest_text=b"version: 1\nname: demo\n",
        lock_text=(b'{"format": 1}\n',),
        delta=marks,
    )
    left_out = frozenset({*marks.marks, *missing} - carried)
    write_archive((*bundle.files, *patches), store_path=store.path, out=out, task=Unwatched(), left_out=left_out)
    return bundle


def beside(source: Path, root: Path, choice: Choice = ALL) -> Unpacked:
    """Unpack below a root."""
    with open_source(str(source)) as reader:
        return unpack_beside(reader, root, Unwatched(), choice=choice)
