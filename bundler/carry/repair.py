"""A damaged set of files -> the same set as it was written. A file is made anew beside itself, then takes its place.

A data file gets its name when it has the SHA-256 that it was written with, a parity file when each of its blocks has.
What cannot be mended is left as it is, and named.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.archive.archive_output import sums_line
from bundler.archive.faults import damaged
from bundler.archive.part_names import PARITY_INDEX, PART_SUMS, WHOLE_SUM, as_parity
from bundler.carry.block_scan import ScannedFile, scan_blocks
from bundler.carry.medium_file import medium_file
from bundler.carry.parity_layout import BLOCK_BYTES
from bundler.carry.parity_writer import write_head
from bundler.carry.repair_plan import RepairPlan, repair_plan
from bundler.carry.restoring import GOOD_BEFORE, BlockRestorer
from bundler.directory_walk import make_directories
from bundler.durable import storage_errors
from bundler.errors import ErrorId, IntegrityError
from bundler.outcome_words import shown_word
from bundler.partial_file import partial_file, write_pieces_durably
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bundler.archive.part_set import ByteRange
    from bundler.carry.carried_set import CarriedSet
    from bundler.carry.parity_index import ParityIndex
    from bundler.carry.parity_layout import BlockMap
    from bundler.model.progress import Task
    from bundler.partial_file import PartialFile

# each is open, with its directory, while its blocks come group by group
FILES_AT_ONCE = 16
READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What was found, and what was done.

    Arguments:
        files: all files of the set as they were found.
        plan: which of them could be mended: they are by now.
        lists: names of lists that were written anew.
        head_bytes: what precedes the blocks in a parity file.
    """

    where: str
    files: tuple[ScannedFile, ...]
    plan: RepairPlan
    lists: tuple[str, ...]
    head_bytes: int

    def ranges(self, file: ScannedFile) -> list[ByteRange]:
        """Return the bytes of a file that its bad blocks are."""
        return file.bad_ranges(self.head_bytes if as_parity(file.name) else 0)


def repair(found: CarriedSet, index: ParityIndex, into: Path | None, task: Task) -> RepairReport:
    """Mend all files of a set that can be mended.

    Arguments:
        into: directory that mended files go to, made when it is absent; None for where the damaged ones are.
        task: advanced by the bytes that were read; not finished here.

    Raises StorageError, IntegrityError (BUNDLE_DAMAGED) where a medium gives other bytes from one time to the next.
    """
    if into is not None:
        with storage_errors(into):
            make_directories(into, mode=None)
    scanned = scan_blocks(index, found.locate, task)
    plan = repair_plan(scanned, index.header.layout)
    files, bad = {file.name: file for file in scanned}, plan.bad
    targets = {file.name: _target(file, found, into) for file in plan.mendable}
    left = [*plan.mendable]
    while left:
        some = _fitting(left, targets, index.header.head_bytes)
        del left[: len(some)]
        _Mending(index, tuple(files.values()), bad).mend(some, targets)
        for file in some:
            files[file.name] = replace(file, path=targets[file.name], bad=(), damaged=False)
            bad = bad.difference(file.bad)
    lists = () if plan.lost else tuple(_mend_lists(found, index, into))
    return RepairReport(index.header.name, scanned, plan, lists, index.header.head_bytes)


def require_repaired(report: RepairReport) -> None:
    """Raise IntegrityError (BEYOND_REPAIR), with the ranges that are lost, unless everything could be mended."""
    if not report.plan.lost:
        return
    names = {file.name for file in report.plan.lost}
    problems = [
        f"{file.name}: {shown_word('missing') if file.path is None else ', '.join(map(str, report.ranges(file)))}"
        for file in report.plan.lost
    ]
    raise IntegrityError(
        ErrorId.BEYOND_REPAIR,
        tr("more is damaged than parity can mend"),
        where=report.where,
        remedy=tr("Bring one of the named files again, and run the same command once more: each one helps the others."),
        want=tr("in each group no more bad blocks than parity blocks"),
        got=tr("more, in {names}", names=", ".join(sorted(names))),
        problems=problems,
    )


class _Mending:
    """Makes some files of a set anew."""

    def __init__(self, index: ParityIndex, files: Sequence[ScannedFile], bad: frozenset[int]) -> None:
        self._index = index
        self._files = files
        self._bad = bad

    def mend(self, files: Sequence[ScannedFile], targets: Mapping[str, Path]) -> None:
        # whoever writes the archive anew in one of these directories holds this lock, and uses the same partial names
        locks = {target.parent / self._index.header.name for target in targets.values()}
        with ExitStack() as stack:
            for lock in sorted(locks.difference(targets.values())):
                stack.enter_context(partial_file(lock, _go_on))
            written = {file.name: stack.enter_context(partial_file(targets[file.name], _go_on)) for file in files}
            for file in files:
                self._copy_good(file, written[file.name])
            self._restore(files, written)
            for file in files:
                self._complete(file, written[file.name])
            for one in written.values():
                one.sync()
            for one in written.values():
                one.commit()

    def _copy_good(self, file: ScannedFile, target: PartialFile) -> None:
        if file.path is None:
            return
        blocks, before = self._blocks_of(file)
        bad = {*file.bad}
        with medium_file(file.path) as source:
            for number in (number for number in range(file.first, file.end) if number not in bad):
                (run,) = blocks.runs(number - before, 1)
                block = source.read(run.bytes, run.offset) or b""
                self._index.require_block(number, block, GOOD_BEFORE)
                target.write_at(block, run.offset)
            if not self._is_data(file):
                # what it has of the index, until all of that is known
                target.write_at(source.read_around_gaps(self._index.header.head_bytes, 0), 0)

    def _restore(self, files: Sequence[ScannedFile], written: Mapping[str, PartialFile]) -> None:
        home = {number: file for file in files for number in file.bad}
        with BlockRestorer(self._index, self._files, self._bad) as restorer:
            for number, block in restorer.restored(home.keys()):
                blocks, before = self._blocks_of(home[number])
                (run,) = blocks.runs(number - before, 1)
                written[home[number].name].write_at(block, run.offset)

    def _complete(self, file: ScannedFile, target: PartialFile) -> None:
        """Compare a data file with its SHA-256, or give a parity file its copy of the index."""
        if not self._is_data(file):
            if not self._index.sums.unknown:
                write_head(target, self._index)
            return
        want = next(data.blob for data in self._index.header.data if data.name == file.name)
        digest = hashlib.sha256()
        for at in range(0, want.size, READ_BYTES):
            digest.update(target.read_at(READ_BYTES, at))
        if digest.hexdigest() != want.digest.hex:
            raise damaged(
                file.name, tr("it differs although each block was mended"), want=want.digest.hex, got=digest.hexdigest()
            )

    def _is_data(self, file: ScannedFile) -> bool:
        return file.first < self._index.header.layout.data_blocks

    def _blocks_of(self, file: ScannedFile) -> tuple[BlockMap, int]:
        """Return where the blocks of a file's kind lie, and the number of the first of that kind."""
        header = self._index.header
        return (header.data_map, 0) if self._is_data(file) else (header.parity_map, header.layout.data_blocks)


def _fitting(files: Sequence[ScannedFile], targets: Mapping[str, Path], head_bytes: int) -> Sequence[ScannedFile]:
    """Return the first of some files: as many as have room beside the damaged ones, and one in any case.

    Mended together, each good file is read once for all of them.

    Arguments:
        head_bytes: what precedes the blocks in a parity file, and is more than a disk takes beside any file's bytes.
    """
    free: dict[int, int] = {}
    for count, file in enumerate(files[:FILES_AT_ONCE]):
        with storage_errors(directory := targets[file.name].parent):
            disk, room = directory.stat().st_dev, os.statvfs(directory)
        left = free.setdefault(disk, room.f_bavail * room.f_frsize)
        free[disk] = left - (file.end - file.first) * BLOCK_BYTES - head_bytes
        if count and free[disk] < 0:
            return files[:count]
    return files[:FILES_AT_ONCE]


def _target(file: ScannedFile, found: CarriedSet, into: Path | None) -> Path:
    if into is not None:
        return into / file.name
    return found.home / file.name if file.path is None else file.path


def _mend_lists(found: CarriedSet, index: ParityIndex, into: Path | None) -> Iterator[str]:
    """Write the lists of a whole set where they differ from what they should be; yield their names."""
    header = index.header
    lists: dict[str, Iterable[bytes]] = {WHOLE_SUM: [sums_line(header.blob.digest, header.name)]}
    if header.data[0].name != header.name:
        lists[PART_SUMS] = [sums_line(file.blob.digest, file.name) for file in header.data]
    if not index.sums.unknown:
        lists[PARITY_INDEX] = index.pieces()
    for suffix, pieces in lists.items():
        name = f"{header.name}{suffix}"
        path = found.locate(name)
        kept = [*pieces] if suffix != PARITY_INDEX else pieces
        if path is None or not _holds(path, kept if suffix != PARITY_INDEX else index.pieces()):
            write_pieces_durably((into or (path.parent if path else found.home)) / name, kept)
            yield name


def _holds(path: Path, pieces: Iterable[bytes]) -> bool:
    """Tell whether a file consists of these bytes."""
    offset = 0
    with medium_file(path) as file:
        for piece in pieces:
            if file.read(len(piece), offset) != piece:
                return False
            offset += len(piece)
        return file.size == offset


def _go_on() -> None:
    """Another process mends or writes the same files; nothing is said of it."""
