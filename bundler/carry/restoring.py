"""Bad blocks of a set from the other blocks of their groups, each compared with its sum before it is handed out."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Self

from bundler.carry.erasure_code import ErasureCode
from bundler.carry.medium_file import medium_file
from bundler.carry.open_files import OpenFiles
from bundler.carry.parity_layout import BLOCK_BYTES
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from contextlib import AbstractContextManager

    from bundler.carry.block_scan import ScannedFile
    from bundler.carry.medium_file import MediumFile
    from bundler.carry.parity_index import ParityIndex

GOOD_BEFORE = tr("a block that was good a moment ago")


class BlockRestorer:
    """Gives back blocks of one set; used as a context.

    Arguments:
        files: of the set, data files first, as they were found.
        bad: the numbers of all blocks that are not to be read.
    """

    def __init__(self, index: ParityIndex, files: Sequence[ScannedFile], bad: frozenset[int]) -> None:
        header = index.header
        self._index, self._layout, self._bad = index, header.layout, bad
        self._code = ErasureCode(header.layout.data_rows, header.layout.parity_rows)
        self._data, self._parity = header.data_map, header.parity_map
        self._paths = {number: file.path for number, file in enumerate(files) if file.path is not None}
        self._parity_from = len(header.data)
        self._open = OpenFiles(self._opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.__exit__()

    def restored(self, numbers: Collection[int]) -> Iterator[tuple[int, bytes]]:
        """Yield each of these blocks with its number, by groups; their sums are known by then.

        Raises IntegrityError (BUNDLE_DAMAGED), StorageError.
        """
        layout = self._layout
        wanted: dict[int, list[int]] = {}
        for number in numbers:
            wanted.setdefault(layout.group_of(number), []).append(number)
        for group, members in sorted(wanted.items()):
            yield from self._of_group(group, members)

    def _of_group(self, group: int, wanted: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        layout = self._layout
        zeros = [row for row in range(layout.data_rows) if row * layout.groups + group >= layout.data_blocks]
        rows = {row: bytes(BLOCK_BYTES) for row in zeros}
        present = [(row, number) for row, number in layout.members(group) if number not in self._bad]
        rows |= {row: self._read(number) for row, number in present[: layout.data_rows - len(zeros)]}
        data = self._code.data(rows)
        parity: Sequence[bytes] = ()
        if any(number >= layout.data_blocks for number in wanted):
            views = memoryview(data)
            parity = self._code.parity([views[at : at + BLOCK_BYTES] for at in range(0, len(data), BLOCK_BYTES)])
        for number in wanted:
            row = layout.row_of(number)
            if number < layout.data_blocks:
                (run,) = self._data.runs(number, 1)
                block = data[row * BLOCK_BYTES : row * BLOCK_BYTES + run.bytes]
            else:
                block = parity[row - layout.data_rows]
            self._index.require_block(number, block, tr("a mended block"))
            self._index.sums[number] = hashlib.sha256(block).digest()
            yield number, block

    def _read(self, number: int) -> bytes:
        """Return a block that was good when it was looked at, filled with zeros."""
        layout = self._layout
        data = number < layout.data_blocks
        (run,) = self._data.runs(number, 1) if data else self._parity.runs(number - layout.data_blocks, 1)
        block = self._open[run.file if data else self._parity_from + run.file].read(run.bytes, run.offset) or b""
        self._index.require_block(number, block, GOOD_BEFORE)
        return block.ljust(BLOCK_BYTES, b"\0")

    def _opened(self, file: int) -> AbstractContextManager[MediumFile]:
        # nothing of a missing file is good, and so nothing of it is read
        return medium_file(self._paths[file])
