"""Patches for a delta that is being built: of the files that are new, those that an old one and a patch can give.

Owns where old content is read: in the store, or else in the base's own archive or tree, which is read once. What cannot
be read, or is not what the base lists, is carried whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO

from bundler.archive.bundle_files import OWN_KIND
from bundler.archive.member_order import member_date, newest_date
from bundler.archive.packed_text import NO_TEXT
from bundler.durable import storage_errors
from bundler.errors import BundlerError, ErrorId
from bundler.model.damaged_blob import DamagedBlobError
from bundler.model.delta_mark import Mark, patch_path
from bundler.model.digest import Blob
from bundler.model.lock import decode_lock
from bundler.model.patch_recipe import MIN_PATCHED_BYTES
from bundler.model.placement import Placement
from bundler.pipeline.patch_pairs import patch_pairs
from bundler.pipeline.whole_blob import is_whole
from bundler.source.open_source import open_source
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bundler.archive.delta_marks import DeltaMarks
    from bundler.model.lock import Lock
    from bundler.model.patch_recipe import PatchRecipe
    from bundler.model.placement import KeptText
    from bundler.model.progress import Task
    from bundler.pipeline.bases import OpenedBase
    from bundler.pipeline.context import BuildContext, Request

_READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Patches:
    """What was made: by result, which base has the old content, how the result is made of it, and the patch."""

    made: dict[Blob, tuple[int, PatchRecipe, bytes | KeptText]] = field(default_factory=dict)

    def placements(self) -> list[Placement]:
        """Return the patches as files of the archive, which no index lists."""
        return [
            Placement(patch_path(blob.digest), content, OWN_KIND) for blob, (_, _, content) in sorted(self.made.items())
        ]

    def marked(self, delta: DeltaMarks, placements: Sequence[Placement], date_cap: int | None) -> DeltaMarks:
        """Return the marks of a delta with those of all paths that patches lead to."""
        newest = newest_date(placements, date_cap)
        marks = dict(delta.marks)
        for file in placements:
            if file.path not in marks and isinstance(file.content, Blob) and file.content in self.made:
                number, recipe, _ = self.made[file.content]
                marks[file.path] = Mark(number, member_date(file, newest, date_cap), recipe)
        return replace(delta, marks=marks)


def make_patches(
    placements: Sequence[Placement],
    delta: DeltaMarks,
    lock: Lock,
    directory: Path,
    request: Request,
    context: BuildContext,
    keep: Callable[[Iterable[bytes]], bytes | KeptText],
) -> Patches:
    """Make the patches of a delta that are worth it.

    Arguments:
        placements: all of the new bundle but its own files.
        delta: what is left to the bases as it is.
        directory: where there is room for what is needed meanwhile.
        keep: takes a patch until the archive is written.

    Raises DamagedBlobError, StorageError.
    """
    patches = Patches()
    for number, base in enumerate(request.bases.opened if request.patches else ()):
        wanted = [file for file in placements if _may_be_patched(file, delta) and file.content not in patches.made]
        if not (base.files and wanted):
            continue
        # of thousands of files a lock takes much memory, and says nothing where each has its place
        old_lock = None if all(file.path in base.files for file in wanted) else _old_lock(base, context)
        pairs = patch_pairs(wanted, lock, base.files, old_lock)
        task = context.runner.progress.task(tr("patches"), sum(blob.size for blob in pairs), apart=True)
        try:
            for new, recipe, patch in _made(pairs, base, directory, context, task):
                patches.made[new] = (number, recipe, keep(patch))
        finally:
            task.finish()
    return patches


def _old_lock(base: OpenedBase, context: BuildContext) -> Lock | None:
    try:
        if base.lock_text == NO_TEXT:
            return None
        return decode_lock(base.lock_text.open(), context.decoders, file=str(base.source))
    except BundlerError:
        # of a version that knows other kinds of content; paths tell as much as they can
        return None


def _may_be_patched(file: Placement, delta: DeltaMarks) -> bool:
    return isinstance(file.content, Blob) and file.content.size > MIN_PATCHED_BYTES and file.path not in delta.marks


def _made(
    pairs: Mapping[Blob, Blob], base: OpenedBase, directory: Path, context: BuildContext, task: Task
) -> Iterator[tuple[Blob, PatchRecipe, Iterator[bytes]]]:
    # its libraries take long to load, and few archives are deltas
    from bundler.delta.making import make_patch

    store = context.sources.store
    results: dict[Blob, list[Blob]] = {}
    for new, old in sorted(pairs.items()):
        results.setdefault(old, []).append(new)
    for old, path in _old_contents(results, base, directory, context):
        for new in results[old]:
            _require_whole(store.path(new), new)
            with storage_errors(directory), TemporaryFile(dir=directory, prefix=".bundler-") as out:
                recipe = make_patch(path, store.path(new), out)
                # an old file that has rotted leads nowhere
                if recipe is not None and recipe.base == old.digest:
                    out.seek(0)
                    yield new, recipe, _chunks(out, recipe.patch.size)
            task.advance(new.size)


def _require_whole(path: Path, blob: Blob) -> None:
    """Raise DamagedBlobError unless the store has what a patch is to lead to: nobody else reads it for a delta."""
    if not is_whole(path, blob):
        raise DamagedBlobError.of(blob, tr("the entry of the store is damaged"), where=path, got=tr("other bytes"))


def _old_contents(
    contents: Iterable[Blob], base: OpenedBase, directory: Path, context: BuildContext
) -> Iterator[tuple[Blob, Path]]:
    """Yield old content and where it lies until the next one is taken: of the store, then of the base itself."""
    store = context.sources.store
    wanted = set(contents)
    for old in sorted(wanted):
        # an entry that has rotted would let the delta depend on the store
        if store.has(old) and is_whole(store.path(old), old):
            wanted.discard(old)
            yield old, store.path(old)
    if not wanted or base.source is None:
        return
    paths = {blob: path for path, blob in base.files.items() if blob in wanted}
    try:
        with open_source(base.source) as reader:
            for file in reader.files(frozenset(paths.values())):
                if file.listed is not None and paths.get(file.listed.blob) == file.path:
                    with storage_errors(directory), TemporaryFile(dir=directory, prefix=".bundler-") as copy:
                        copy.writelines(file.chunks)
                        copy.flush()
                        yield file.listed.blob, Path(f"/proc/self/fd/{copy.fileno()}")
    except BundlerError as error:
        if error.id is ErrorId.DISK_FULL:
            # here: a base is only read
            raise
        context.runner.progress.note(
            tr("{source}: not all of it can be read: {error}", source=base.source, error=error)
        )


def _chunks(stream: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while left and (data := stream.read(min(_READ_BYTES, left))):
        left -= len(data)
        yield data
