"""Bases and deltas -> the full archive that a build without --base makes, to the byte.

Content lies in a file without a name beside the archive until that is written, so that nothing is left of a run that
was killed.
"""

from __future__ import annotations

import io
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.archive.archive_output import sums_line
from bundler.archive.beside_archive import checksum_path
from bundler.archive.bundle_files import OWN_KIND, is_deflated_here
from bundler.archive.completed_delta import applied
from bundler.archive.delta_marks import bases_of, full_index_pieces, recipe_of
from bundler.archive.extract import require_room
from bundler.archive.faults import base_missing, damaged, invalid, no_delta
from bundler.archive.kept_subset import tree_subset
from bundler.archive.kept_texts import kept_texts
from bundler.archive.packed_text import PackedText
from bundler.archive.pieces_stream import PiecesStream
from bundler.archive.signing import sign_file, signature_placements
from bundler.archive.writer import write_archive
from bundler.directory_walk import opened_directory
from bundler.durable import storage_errors
from bundler.model.bundle import INDEX_PATH, SUMS_PATH, sums_pieces
from bundler.model.manifest import archive_name
from bundler.model.placement import Placement
from bundler.pipeline.merge_plan import MergedSource, merge_plan
from bundler.pipeline.output_place import output_path, require_output
from bundler.source.open_source import require_id
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence

    from bundler.archive.bundle_reader import ArchivedFile, BundleReader
    from bundler.archive.checked_index import CheckedIndex
    from bundler.model.bundle import IndexedFile
    from bundler.model.digest import Blob, Digest
    from bundler.model.placement import KeptText
    from bundler.model.progress import Progress
    from bundler.pipeline.merge_plan import SourceShare
    from bundler.trust.interface import Signer

Opened = AbstractContextManager["BundleReader"]


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """What is merged.

    Arguments:
        sources: bases and deltas in their order; the last one is the delta whose content is wanted.
        output: the archive's file, or a directory.
        opened: opens a bundle that a text names; nothing of the bases counts but bytes that the delta lists.
        admitted: opens the delta, whose signatures may be asked for.
        signers: who signs what is made.
    """

    sources: Sequence[str]
    output: str
    opened: Callable[[str], Opened]
    admitted: Callable[[str], Opened]
    signers: tuple[Signer, ...] = ()

    @property
    def openings(self) -> list[tuple[str, Callable[[str], Opened]]]:
        """Each source with what opens it."""
        return [*((source, self.opened) for source in self.sources[:-1]), (self.sources[-1], self.admitted)]


@dataclass(frozen=True, slots=True)
class Merged:
    """A full archive that was made; fields as of what a build makes."""

    path: Path
    archive: Blob
    bundle_id: str
    files: int
    content_bytes: int


def merge(request: MergeRequest, progress: Progress) -> Merged:
    """Write the full archive of a delta.

    Raises IntegrityError (BASE_MISSING, BUNDLE_DAMAGED), BundleFormatError, StorageError, ToolMissingError; nothing has
    a final name then.
    """
    planned = _planned(request)
    output = output_path(request.output, planned.archive_name)
    require_output(output, request.output, map(Path, request.sources))
    with storage_errors(output.parent), opened_directory(output.parent) as directory:
        # what is kept meanwhile, and the archive
        require_room(directory, output.parent, [*planned.sizes, planned.total_bytes])
    index_text, steps = planned.index_text, list(planned.steps)
    # of thousands of files an index takes much memory, and so does what is taken from each bundle
    del planned
    with kept_texts(output.parent) as keep:
        collected = _Collected(keep)
        while len(steps) > 1:
            collected.collect_from(steps.pop(0), progress)
        [delta] = steps
        with delta.opened(delta.source) as reader:
            collected.collect(reader, delta, progress)
        return _written(reader.checked, index_text, collected, output, request, progress)


@dataclass(frozen=True, slots=True)
class _MergeStep:
    """One of the bundles: how it is opened, which it has to be, and what is taken from it."""

    source: str
    opened: Callable[[str], Opened]
    bundle_id: str
    share: SourceShare


@dataclass(frozen=True, slots=True)
class _Planned:
    """What is to be read, in the order of the sources, and what becomes of it all.

    Arguments:
        index_text: the full archive's bundle.json.
    """

    steps: tuple[_MergeStep, ...]
    index_text: PackedText
    archive_name: str
    total_bytes: int

    @property
    def sizes(self) -> list[int]:
        """The bytes of all content that is kept meanwhile."""
        return [size for step in self.steps for size in step.share.sizes]


def _planned(request: MergeRequest) -> _Planned:
    """Read what the bundles list, the delta first: of the others no more is remembered than what it lacks."""
    *_, (source, admitted) = request.openings
    with admitted(source) as reader:
        checked = reader.checked
        index = checked.index
        if not (reader.gives_all and index.bases):
            raise no_delta(checked.where)
        if not is_deflated_here(index):
            what = tr("was compressed by {deflate!r}, and this version writes other bytes", deflate=index.deflate)
            raise invalid(checked.where, what)
        text = _full_index(reader)
    del reader
    ids = [checked.id]
    plan = merge_plan(MergedSource(index, in_archive=True), partial(_earlier, request, ids))
    if plan.missing:
        paths = [file.path for file in plan.missing]
        raise base_missing(checked.where, bases_of(index, plan.missing), paths, None, merging=True)
    openings = zip(request.openings, reversed(ids), plan.taken, strict=True)
    steps = tuple(_MergeStep(source, opened, bundle_id, share) for (source, opened), bundle_id, share in openings)
    return _Planned(steps, text, archive_name(index.name, index.release), checked.total_bytes)


def _full_index(reader: BundleReader) -> PackedText:
    for file in reader.files(frozenset({INDEX_PATH})):
        if file.path == INDEX_PATH:
            return PackedText.of(full_index_pieces(b"".join(file.chunks)))
    raise damaged(reader.checked.where, tr("files are missing"), want=INDEX_PATH, got=tr("nothing"))


def _earlier(request: MergeRequest, ids: list[str]) -> Iterator[MergedSource]:
    """Yield the bundles before the delta, the newest first, and note their ids behind that of the delta."""
    del ids[1:]
    for source, opened in reversed(request.openings[:-1]):
        with opened(source) as reader:
            merged = [_merged(reader, source)]
            ids.append(reader.checked.id)
        del reader
        yield merged.pop()


def _merged(reader: BundleReader, source: str) -> MergedSource:
    subset = None if reader.gives_all else tree_subset(Path(source), reader.checked)
    return MergedSource(reader.checked.index, reader.gives_all, subset)


@dataclass(slots=True)
class _Collected:
    """Content by digest, and the dates of the files that were read last."""

    keep: Callable[[Iterable[bytes]], KeptText]
    contents: dict[Digest, KeptText] = field(default_factory=dict)
    dates: Mapping[str, int] = field(default_factory=dict)

    def collect_from(self, step: _MergeStep, progress: Progress) -> None:
        """Open a bundle and keep what is taken from it; raises as `collect`, and what opening raises."""
        with step.opened(step.source) as reader:
            self.collect(reader, step, progress)

    def collect(self, reader: BundleReader, step: _MergeStep, progress: Progress) -> None:
        """Keep what is taken from a bundle. Raises IntegrityError (BUNDLE_OTHER_ID) when it is another one by now."""
        require_id(reader.checked, step.bundle_id)
        task = progress.task(Path(reader.checked.where).name, sum(step.share.sizes))
        for file in self._read(reader, step.share.paths(_merged(reader, step.source)), step.share.made):
            task.advance(file.size)
        task.finish()

    def _read(self, reader: BundleReader, paths: Mapping[str, Blob], made: Container[Blob]) -> Iterator[ArchivedFile]:
        checked, dates = reader.checked, dict[str, int]()
        for file in reader.files(paths.keys()):
            dates[file.path] = file.mtime
            if file.path in paths:
                self._keep(paths[file.path], file.chunks, checked.where, file.path)
            elif results := [file for file in checked.patched.get(file.path, ()) if file.blob in made]:
                self._make(results[0], file, checked.where)
            yield file
        absent = {*reader.expected(paths.keys()) - dates.keys()}
        if absent:
            raise damaged(checked.where, tr("files are missing"), want=", ".join(sorted(absent)), got=tr("nothing"))
        self.dates = dates

    def _make(self, result: IndexedFile, patch: ArchivedFile, where: str) -> None:
        recipe = recipe_of(result)
        kept = self.keep(map(bytes, patch.chunks))
        _require(recipe.patch, kept, where, patch.path)
        base = io.BufferedReader(PiecesStream(self.contents[recipe.base].pieces()))
        self._keep(result.blob, applied(result, base, kept.pieces(), where), where, result.path)

    def _keep(self, want: Blob, chunks: Iterable[bytes | memoryview], where: str, path: str) -> None:
        kept = self.keep(map(bytes, chunks))
        _require(want, kept, where, path)
        # not by the wanted digest, which belongs to an index
        self.contents[kept.blob.digest] = kept


def _require(want: Blob, kept: KeptText, where: str, path: str) -> None:
    if kept.blob != want:
        what = tr("{path} holds other bytes", path=path)
        raise damaged(where, what, want=want.digest.hex, got=kept.blob.digest.hex)


def _written(
    checked: CheckedIndex,
    index_text: PackedText,
    collected: _Collected,
    output: Path,
    request: MergeRequest,
    progress: Progress,
) -> Merged:
    files = checked.index.files
    own = Placement(INDEX_PATH, collected.keep(index_text.pieces()), OWN_KIND)
    sums = Placement(SUMS_PATH, collected.keep(sums_pieces(files, own.blob.digest)), OWN_KIND)
    placements = [own, sums, *(_placement(file, collected) for file in files)]
    count, total_bytes = len(placements), sum(file.blob.size for file in placements)
    placements += signature_placements(placements, request.signers)
    task = progress.task(output.name, sum(file.blob.size for file in placements), apart=True)
    written = write_archive(placements, store_path=_no_store, out=output, task=task)
    task.finish()
    sign_file(checksum_path(output), sums_line(written.blob.digest, output.name), request.signers)
    return Merged(written.path, written.blob, own.blob.digest.hex, count, total_bytes)


def _placement(file: IndexedFile, collected: _Collected) -> Placement:
    mtime = collected.dates[file.path] if file.mark is None else file.mark.date
    return Placement(file.path, collected.contents[file.blob.digest], file.kind, mode=file.mode, mtime=mtime)


def _no_store(blob: Blob) -> Path:
    raise AssertionError(f"all content is kept, {blob.digest} too")
