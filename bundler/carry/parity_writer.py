"""Complete data files of a set that has no final names yet -> its parity files and its index, read group by group.

A group's blocks lie all over the set, so the kernel is told early which ones come next. Memory is that of one group.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from bundler.archive.faults import damaged
from bundler.archive.part_names import parity_names
from bundler.carry.block_sums import BlockSums
from bundler.carry.erasure_code import ErasureCode
from bundler.carry.open_files import OpenFiles
from bundler.carry.parity_header import ParityFile, ParityHeader
from bundler.carry.parity_index import ParityIndex, head_bytes
from bundler.carry.parity_layout import BLOCK_BYTES, MAX_BLOCKS, MAX_GROUP_BLOCKS, parity_layout, shares
from bundler.errors import ErrorId, StorageError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.carry.parity_header import DataFile
    from bundler.model.digest import Blob
    from bundler.model.progress import Task
    from bundler.partial_file import PartialFile
    from bundler.partial_set import PartialSet

# so many groups' blocks are read from neighbouring places at about the same time
GROUPS_AHEAD = 16


def plan_parity(name: str, blob: Blob, data: Sequence[DataFile], percent: int, part_bytes: int | None) -> ParityHeader:
    """Return the header of a set: which parity files it gets, none larger than a part as far as one block fits in it.

    Arguments:
        name, blob: the archive's own.
        percent: how much parity, of the data.
        part_bytes: the size of its parts; None for a whole archive, which gets one parity file.

    Raises StorageError for a set that is too large.
    """
    try:
        layout = parity_layout([file.blob.size for file in data], percent)
    except ValueError as error:
        raise StorageError(
            ErrorId.FILE_TOO_LARGE,
            tr(
                "parity is made for archives of up to {max_blocks} GiB, itself included",
                max_blocks=MAX_BLOCKS * BLOCK_BYTES >> 30,
            ),
            where=name,
            remedy=tr("Leave out --parity, or make two bundles."),
        ) from error
    count = 1
    while True:
        sizes = shares(layout.parity_blocks, count)
        parity = tuple(ParityFile(*file) for file in zip(parity_names(name, count), sizes, strict=True))
        header = ParityHeader(name, blob, tuple(data), parity, layout, BLOCK_BYTES)
        head = head_bytes(header)
        blocks = layout.parity_blocks if part_bytes is None else max(1, (part_bytes - head) // BLOCK_BYTES)
        wanted = -(-layout.parity_blocks // blocks)
        if wanted <= count:
            return ParityHeader(name, blob, tuple(data), parity, layout, head)
        count = wanted


def write_parity(files: PartialSet, begun: Sequence[str], header: ParityHeader, task: Task) -> ParityIndex:
    """Write the parity files of a set, under the names that the header has, and return its index.

    Arguments:
        begun: the names that the data files were begun with.
        task: advanced by the bytes of data; not finished here.

    Raises StorageError, IntegrityError (BUNDLE_DAMAGED) when the disk does not give back what was written.
    """
    layout = header.layout
    index = ParityIndex(header, BlockSums(layout.total))
    for file in header.parity:
        with files.member(file.name):
            pass
    with _Set(files, begun, header) as blocks, ThreadPoolExecutor(1, "sha256") as pool:
        code = ErasureCode(layout.data_rows, layout.parity_rows)
        width = max(1, MAX_GROUP_BLOCKS // (layout.data_rows + layout.parity_rows))
        for group in range(0, layout.groups, width):
            count = min(width, layout.groups - group)
            starts = [row * layout.groups + group for row in range(layout.data_rows)]
            if group % GROUPS_AHEAD < width:
                blocks.prefetch(starts, max(width, GROUPS_AHEAD))
            rows = [blocks.read(start, min(count, max(0, layout.data_blocks - start))) for start in starts]
            hashed = pool.submit(_digests, rows)
            parity = [memoryview(row) for row in code.parity([_filled(row, count) for row in rows])]
            task.advance(sum(len(block) for row in rows for block in row))
            _keep(index.sums, starts, hashed.result())
            starts = [row * layout.groups + group for row in range(layout.parity_rows)]
            for start, row in zip(starts, parity, strict=True):
                blocks.write(start, row)
            cut = [[row[at : at + BLOCK_BYTES] for at in range(0, len(row), BLOCK_BYTES)] for row in parity]
            _keep(index.sums, [layout.data_blocks + start for start in starts], _digests(cut))
    for file in header.parity:
        with files.reopened(file.name) as parity_file:
            write_head(parity_file, index)
            parity_file.sync()
    return index


def write_head(file: PartialFile, index: ParityIndex) -> None:
    """Write the copy of the index at the beginning of a parity file. Raises StorageError."""
    offset = 0
    for piece in index.head_pieces():
        file.write_at(piece, offset)
        offset += len(piece)


class _Set:
    """The blocks of a set while its parity is made."""

    def __init__(self, files: PartialSet, begun: Sequence[str], header: ParityHeader) -> None:
        self._data, self._parity = header.data_map, header.parity_map
        self._names = begun
        self._reading = OpenFiles(lambda number: files.reopened(begun[number]))
        self._writing = OpenFiles(lambda number: files.reopened(header.parity[number].name))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reading.__exit__()
        self._writing.__exit__()

    def prefetch(self, starts: Sequence[int], count: int) -> None:
        for start in starts:
            for run in self._data.runs(start, count):
                self._reading[run.file].prefetch(run.bytes, run.offset)

    def read(self, start: int, count: int) -> list[bytes]:
        blocks: list[bytes] = []
        for run in self._data.runs(start, count):
            data = self._reading[run.file].read_at(run.bytes, run.offset)
            if len(data) < run.bytes:
                raise damaged(
                    self._names[run.file],
                    tr("the disk gives back less"),
                    want=tr("{bytes} bytes", bytes=run.bytes),
                    got=tr("fewer"),
                )
            blocks += [data[at : at + BLOCK_BYTES] for at in range(0, len(data), BLOCK_BYTES)]
        return blocks

    def write(self, start: int, row: memoryview) -> None:
        at = 0
        for run in self._parity.runs(start, len(row) // BLOCK_BYTES):
            self._writing[run.file].write_at(row[at : at + run.bytes], run.offset)
            at += run.bytes


def _filled(blocks: Sequence[bytes], count: int) -> bytes:
    """Return the blocks of a row, each filled with zeros, and zeros for those that are not there."""
    if count == 1 and blocks and len(blocks[0]) == BLOCK_BYTES:
        return blocks[0]
    return b"".join([block.ljust(BLOCK_BYTES, b"\0") for block in blocks]).ljust(count * BLOCK_BYTES, b"\0")


def _digests(rows: Sequence[Sequence[bytes | memoryview]]) -> list[list[bytes]]:
    return [[hashlib.sha256(block).digest() for block in row] for row in rows]


def _keep(sums: BlockSums, starts: Sequence[int], digests: Sequence[Sequence[bytes]]) -> None:
    for start, row in zip(starts, digests, strict=True):
        for number, digest in enumerate(row, start):
            sums[number] = digest
