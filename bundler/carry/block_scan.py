"""Which blocks of a set are as they were written: each is read where it lies, and compared with its sum."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.part_set import ByteRange
from bundler.carry.medium_file import medium_file
from bundler.carry.parity_layout import BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bundler.carry.medium_file import MediumFile
    from bundler.carry.parity_header import ParityHeader
    from bundler.carry.parity_index import ParityIndex
    from bundler.carry.parity_layout import BlockMap, BlockRun
    from bundler.model.progress import Task

RUN_BLOCKS = 16


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """What became of one file of a set.

    Arguments:
        path: where it lies; None when it is missing.
        first, end: the numbers of its blocks in the set: from, and to before.
        bad: the numbers of those that are not as they were written.
        damaged: whether anything of it is: a block, its length, or a copy of the index.
    """

    name: str
    path: Path | None
    first: int
    end: int
    bad: tuple[int, ...]
    damaged: bool

    def bad_ranges(self, head_bytes: int = 0) -> list[ByteRange]:
        """Return the bytes of the file that its bad blocks are, neighbours together.

        Arguments:
            head_bytes: what precedes the blocks in it.
        """
        ranges: list[ByteRange] = []
        for number in self.bad:
            begin = head_bytes + (number - self.first) * BLOCK_BYTES
            if ranges and ranges[-1].end == begin:
                begin = ranges.pop().begin
            ranges.append(ByteRange(begin, head_bytes + (number - self.first + 1) * BLOCK_BYTES))
        return ranges


def scan_blocks(index: ParityIndex, locate: Callable[[str], Path | None], task: Task) -> tuple[ScannedFile, ...]:
    """Read all files of a set; data files come first, then parity files.

    Arguments:
        locate: returns where a file of the set lies.
        task: advanced by the bytes that were read; not finished here.

    Raises StorageError for what is not the medium's fault.
    """
    header = index.header
    return (*_data_files(index, locate, task), *_parity_files(index, header, locate, task))


def _data_files(index: ParityIndex, locate: Callable[[str], Path | None], task: Task) -> Iterator[ScannedFile]:
    blocks = index.header.data_map
    for number, file in enumerate(index.header.data):
        first, end = blocks.starts[number : number + 2]
        path = locate(file.name)
        if path is None:
            yield ScannedFile(file.name, None, first, end, tuple(range(first, end)), damaged=True)
            continue
        with medium_file(path) as opened:
            size = opened.size
            found = _states(opened, blocks.runs(first, end - first), first, index, task)
            unsure = [block for block, state in found.items() if state is None]
            sure = all(state is not False for state in found.values()) and size == file.blob.size
            if unsure and sure and _hex(opened, size) == file.blob.digest.hex:
                _learn(index, opened, unsure, blocks)
                unsure = []
        bad = tuple(sorted({*unsure, *(block for block, state in found.items() if state is False)}))
        yield ScannedFile(file.name, path, first, end, bad, damaged=bool(bad) or size != file.blob.size)


def _parity_files(
    index: ParityIndex, header: ParityHeader, locate: Callable[[str], Path | None], task: Task
) -> Iterator[ScannedFile]:
    blocks, before = header.parity_map, header.layout.data_blocks
    for number, file in enumerate(header.parity):
        first, end = blocks.starts[number : number + 2]
        path = locate(file.name)
        if path is None:
            missing = tuple(range(before + first, before + end))
            yield ScannedFile(file.name, None, before + first, before + end, missing, damaged=True)
            continue
        with medium_file(path) as opened:
            found = _states(opened, blocks.runs(first, end - first), before + first, index, task)
            fits = opened.size == header.head_bytes + file.blocks * BLOCK_BYTES
            whole = not index.sums.unknown and _begins_with(opened, index.head_pieces())
        bad = tuple(block for block, state in found.items() if state is not True)
        yield ScannedFile(
            file.name, path, before + first, before + end, bad, damaged=bool(bad) or not fits or not whole
        )


def _states(
    file: MediumFile, runs: Iterator[BlockRun], first: int, index: ParityIndex, task: Task
) -> Mapping[int, bool | None]:
    """Return for each block that is not as it was written False, and None for one of which nobody knows."""
    found: dict[int, bool | None] = {}
    number = first
    for run in runs:
        for at in range(0, run.blocks, RUN_BLOCKS):
            some = min(RUN_BLOCKS, run.blocks - at)
            length = min(some * BLOCK_BYTES, run.bytes - at * BLOCK_BYTES)
            for block in _blocks(file, run.offset + at * BLOCK_BYTES, length):
                want = index.sums[number]
                state = None if want is None else block is not None and hashlib.sha256(block).digest() == want
                if state is not True:
                    found[number] = state if block is not None else False
                number += 1
            task.advance(length)
    return found


def _blocks(file: MediumFile, offset: int, length: int) -> Sequence[bytes | None]:
    """Return the blocks of a run; None for one that cannot be read, whatever becomes of its neighbours."""
    data = file.read(length, offset)
    places = range(0, length, BLOCK_BYTES)
    if data is not None:
        return [data[at : at + BLOCK_BYTES] for at in places]
    return [file.read(min(BLOCK_BYTES, length - at), offset + at) for at in places]


def _learn(index: ParityIndex, file: MediumFile, numbers: Sequence[int], blocks: BlockMap) -> None:
    """Keep the sums of blocks that are known to be good, for the index lacks them."""
    for number in numbers:
        (run,) = blocks.runs(number, 1)
        index.sums[number] = hashlib.sha256(file.read(run.bytes, run.offset) or b"").digest()


def _begins_with(file: MediumFile, pieces: Iterator[bytes]) -> bool:
    offset = 0
    for piece in pieces:
        if file.read(len(piece), offset) != piece:
            return False
        offset += len(piece)
    return True


def _hex(file: MediumFile, size: int) -> str:
    digest = hashlib.sha256()
    for at in range(0, size, RUN_BLOCKS * BLOCK_BYTES):
        digest.update(file.read(RUN_BLOCKS * BLOCK_BYTES, at) or b"")
    return digest.hexdigest()
