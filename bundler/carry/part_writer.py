"""An archive written as parts: plain byte ranges, for which `cat` and `tar` will do; docs/formats.md, "Parts".

Nothing joined is ever written. All parts of an earlier archive of the name stay until the last new one is on the disk.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable  # noqa: TC003 - dataclasses look at it
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.archive.archive_output import left_by_splits, sums_line
from bundler.archive.beside_archive import remove_files, stale_beside
from bundler.archive.part_names import PARITY_INDEX, PART_SUMS, WHOLE_SUM, part_name, part_names
from bundler.carry.parity_header import DataFile
from bundler.carry.parity_writer import plan_parity, write_parity
from bundler.model.digest import Blob, Digest
from bundler.partial_file import partial_file
from bundler.partial_set import PartialSet, partial_set
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bundler.archive.archive_output import ArchiveOutput, OpenOutput
    from bundler.carry.parity_index import ParityIndex
    from bundler.model.progress import Task
    from bundler.partial_file import PartialFile


@dataclass(frozen=True, slots=True)
class ParityRequest:
    """How much parity is wanted, in percent of the data, and what shows that it is being made."""

    percent: int
    begin: Callable[[str, int], Task]


def parts_output(
    part_bytes: int | None, *, parity: ParityRequest | None = None, keep_whole: bool = False
) -> OpenOutput:
    """Return what opens the parts of an archive for writing.

    Arguments:
        part_bytes: the size of every part but the last; None for one file NAME.tar.gz, which then is the one part.
        parity: makes parity when all parts are complete; None for none.
        keep_whole: whether a file NAME.tar.gz stays beside them; otherwise it goes when they are complete, for whoever
            names it would read it instead of them.
    """

    @contextmanager
    def open_parts(out: Path, on_wait: Callable[[], None]) -> Iterator[ArchiveOutput]:
        with partial_set(out, on_wait) as files, ThreadPoolExecutor(1, "sha256") as pool, ExitStack() as stack:
            output = _PartsOutput(out, files, _PartsForm(part_bytes, parity, keep_whole), pool, on_wait)
            # an open part goes with the set
            stack.callback(output.close)
            yield output

    return open_parts


@dataclass(slots=True)
class _OpenPart:
    """The part that is being written, and what closes it."""

    name: str
    file: PartialFile
    closing: ExitStack
    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """A part that is complete, under the name that it was begun with."""

    name: str
    blob: Blob


@dataclass(frozen=True, slots=True)
class _PartsForm:
    """The arguments of `parts_output`."""

    part_bytes: int | None
    parity: ParityRequest | None
    keep_whole: bool


class _PartsOutput:
    def __init__(
        self,
        out: Path,
        files: PartialSet,
        wanted: _PartsForm,
        pool: ThreadPoolExecutor,
        on_wait: Callable[[], None],
    ) -> None:
        self._out = out
        self._files = files
        self._wanted = wanted
        self._part_bytes = wanted.part_bytes or sys.maxsize
        self._pool = pool
        self._on_wait = on_wait
        self._written: list[WrittenPart] = []
        self._open: _OpenPart | None = None

    def write_all(self, pieces: Sequence[bytes | memoryview]) -> int:
        rest = [memoryview(piece) for piece in pieces if piece]
        size = sum(map(len, rest))
        while rest:
            part = self._open or self._begin()
            now, rest = _cut(rest, self._part_bytes - part.size)
            hashed = self._pool.submit(_update, part.digest, now)
            try:
                part.size += part.file.write_all(now)
            finally:
                hashed.result()
            if part.size == self._part_bytes:
                self._end(part)
        return size

    def commit(self, blob: Blob) -> tuple[Path, ...]:
        if self._open is not None:
            self._end(self._open)
        whole, written = self._out.name, self._written
        names = (whole,) if self._wanted.part_bytes is None else part_names(whole, len(written))
        data = [DataFile(name, part.blob) for part, name in zip(written, names, strict=True)]
        lists: dict[str, Iterable[bytes]] = {WHOLE_SUM: [sums_line(blob.digest, whole)]}
        if self._wanted.part_bytes is not None:
            lists[PART_SUMS] = [sums_line(file.blob.digest, file.name) for file in data]
        final = {part.name: name for part, name in zip(written, names, strict=True)}
        if (index := self._protected(blob, data)) is not None:
            lists[PARITY_INDEX] = index.pieces()
            final |= {file.name: file.name for file in index.header.parity}
        self._rename(final, lists, blob.digest)
        return tuple(self._out.with_name(name) for name in names)

    def _protected(self, blob: Blob, data: Sequence[DataFile]) -> ParityIndex | None:
        parity = self._wanted.parity
        if parity is None:
            return None
        header = plan_parity(self._out.name, blob, data, parity.percent, self._wanted.part_bytes)
        task = parity.begin(tr("parity of {name}", name=self._out.name), blob.size)
        index = write_parity(self._files, [part.name for part in self._written], header, task)
        task.finish()
        return index

    def _rename(self, final: Mapping[str, str], lists: Mapping[str, Iterable[bytes]], digest: Digest) -> None:
        stale = {*left_by_splits(self._out, self._files.names_beside())}
        if not self._wanted.keep_whole:
            stale.add(self._out.name)
        with ExitStack() as stack:
            written = [stack.enter_context(self._list(suffix, pieces)) for suffix, pieces in lists.items()]
            # while the files change there are no sums, rather than those of others
            remove_files(stale_beside(self._out, digest))
            for one in written:
                one.remove_final()
            self._files.commit(final)
            self._files.remove_beside(stale.difference(final.values()))
            for one in written:
                one.commit()

    def close(self) -> None:
        if self._open is not None:
            self._open.closing.close()

    @contextmanager
    def _list(self, suffix: str, pieces: Iterable[bytes]) -> Iterator[PartialFile]:
        with partial_file(self._out.with_name(f"{self._out.name}{suffix}"), self._on_wait) as written:
            for piece in pieces:
                written.write(piece)
            written.sync()
            yield written

    def _begin(self) -> _OpenPart:
        name = part_name(self._out.name, len(self._written))
        closing = ExitStack()
        self._open = _OpenPart(name, closing.enter_context(self._files.member(name)), closing)
        return self._open

    def _end(self, part: _OpenPart) -> None:
        self._open = None
        part.closing.close()
        self._written.append(WrittenPart(part.name, Blob(Digest("sha256", part.digest.hexdigest()), part.size)))


def _cut(pieces: Sequence[memoryview], size: int) -> tuple[list[memoryview], list[memoryview]]:
    """Return the first so many bytes of pieces, and the rest."""
    head: list[memoryview] = []
    for number, piece in enumerate(pieces):
        if len(piece) >= size:
            rest = [piece[size:]] if len(piece) > size else []
            return [*head, piece[:size]], [*rest, *pieces[number + 1 :]]
        head.append(piece)
        size -= len(piece)
    return head, []


def _update(digest: hashlib._Hash, pieces: Sequence[memoryview]) -> None:
    for piece in pieces:
        digest.update(piece)
