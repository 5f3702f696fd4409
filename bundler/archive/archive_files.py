"""An archive: one file, parts `NAME.000 …` read as one stream (docs/design.md, 6, "Parts"), or a pipe."""

from __future__ import annotations

import hashlib
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from bundler.archive.faults import damaged, incomplete, not_found
from bundler.durable import storage_errors
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bundler.archive.archive_pipe import ArchivePipe
    from bundler.archive.hashing import HashThread
    from bundler.model.digest import Digest

_PART = re.compile(r"(?P<whole>.+)\.(?P<number>[0-9]{3,})")
_SUM = re.compile(r"(?P<hex>[0-9a-f]{64}) [ *](?P<name>.+)")
# NAME.tar.gz.000 is a part; any other name that ends in a number may be a whole archive
SUFFIXES = (".tar.gz", ".tgz")
MAX_SUMS_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ArchiveFiles:
    """The file or files of one archive, in order; `sums` is name -> hex SHA-256 of each part, where that is known.

    Arguments:
        pipe: what it is read from instead, once.
        digest: the SHA-256 of all of it, where somebody vouches for one.
    """

    where: str
    paths: tuple[Path, ...]
    sums: Mapping[str, str] = field(default_factory=dict)
    pipe: ArchivePipe | None = None
    digest: Digest | None = None

    @property
    def whole(self) -> Path | None:
        """The archive's own path, whether it lies there or only its parts do; None for a pipe."""
        return self.paths[0].with_name(self.where) if self.paths else None

    @property
    def size(self) -> int:
        """Bytes of all of them together."""
        with storage_errors(self.where):
            return sum(path.stat().st_size for path in self.paths)

    def bad_parts(self) -> list[str]:
        """Return the names of parts whose bytes differ from `sums`; reads all of them."""
        return [path.name for path in self.paths if path.name in self.sums and _hex(path) != self.sums[path.name]]


def archive_files(path: Path) -> ArchiveFiles:
    """Find the files of an archive by its own name or by that of any of its parts.

    Raises BundleFormatError (BUNDLE_NOT_FOUND), IntegrityError (BUNDLE_INCOMPLETE, with the missing parts' names),
    StorageError.
    """
    part = _PART.fullmatch(path.name)
    if path.is_file() and not part:
        return ArchiveFiles(path.name, (path,))
    whole = path.with_name(part["whole"]) if part else path
    with storage_errors(path):
        numbers = _part_numbers(whole)
    sums = _part_sums(whole.with_name(f"{whole.name}.parts.sha256"))
    if path.is_file() and not sums and 0 not in numbers and not whole.name.endswith(SUFFIXES):
        return ArchiveFiles(path.name, (path,))
    if not numbers and not (part and sums):
        raise not_found(str(path), tr("there is no such archive"))
    expected = {number: f"{whole.name}.{number:03}" for number in range(max(numbers, default=-1) + 1)}
    expected |= {int(name.rpartition(".")[2]): name for name in sums}
    if missing := [name for number, name in sorted(expected.items()) if number not in numbers]:
        raise incomplete(str(whole), missing)
    paths = tuple(whole.with_name(name) for _, name in sorted(expected.items()))
    return ArchiveFiles(whole.name, paths, sums)


@contextmanager
def opened(files: ArchiveFiles) -> Iterator[BinaryIO]:
    """Open the archive as one stream of bytes.

    Raises IntegrityError at the end of a part that differs from its sum, and of an archive that has another digest.
    """
    if files.pipe is not None:
        yield files.pipe
        return
    with _JoinedParts(files) as raw:
        yield raw


class _JoinedParts(io.RawIOBase, BinaryIO):
    """The parts one after the other; a BinaryIO only because readers require one."""

    def __init__(self, files: ArchiveFiles) -> None:
        super().__init__()
        self._files = files
        self._rest = iter(files.paths)
        self._path: Path | None = None
        self._current: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self._whole: HashThread | None = None
        if files.digest is not None:
            from bundler.archive.hashing import HashThread  # takes long to load, for what is seldom there

            self._whole = HashThread()
        self._next()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # typeshed asks for any buffer; readers hand in these
        while self._current is not None:
            with storage_errors(self._path or self._files.where):
                count: int = self._current.readinto(buffer)  # type: ignore[attr-defined] # a FileIO, as opened below
            if count:
                if self._files.sums:
                    self._digest.update(memoryview(buffer)[:count])
                if self._whole is not None:
                    self._whole.update(bytes(memoryview(buffer)[:count]))
                return count
            self._finish()
            self._next()
        self._require_whole()
        return 0

    def close(self) -> None:
        if self._current is not None:
            self._current.close()
        if self._whole is not None:
            self._whole.__exit__()
        super().close()

    def _require_whole(self) -> None:
        want = self._files.digest
        if self._whole is not None and want is not None and (got := self._whole.hex()) != want.hex:
            what = tr("is not the archive that its .sha256 names")
            raise damaged(self._files.where, what, want=want.hex, got=got)

    def _next(self) -> None:
        self._path = next(self._rest, None)
        self._digest = hashlib.sha256()
        if self._path is None:
            self._current = None
            return
        with storage_errors(self._path):
            self._current = self._path.open("rb", buffering=0)

    def _finish(self) -> None:
        if self._current is None or self._path is None:
            return
        self._current.close()
        want = self._files.sums.get(self._path.name)
        if want is not None and self._digest.hexdigest() != want:
            raise damaged(str(self._path), tr("this part is damaged"), want=want, got=self._digest.hexdigest())


def _part_numbers(whole: Path) -> frozenset[int]:
    if not whole.parent.is_dir():
        return frozenset()
    found = (_PART.fullmatch(entry.name) for entry in whole.parent.iterdir())
    return frozenset(int(match["number"]) for match in found if match and match["whole"] == whole.name)


def _part_sums(path: Path) -> dict[str, str]:
    with storage_errors(path):
        try:
            with path.open("rb") as stream:
                text = stream.read(MAX_SUMS_BYTES).decode("utf-8", "replace")
        except FileNotFoundError:
            return {}
    lines = (_SUM.fullmatch(line) for line in text.splitlines())
    return {match["name"]: match["hex"] for match in lines if match and _PART.fullmatch(match["name"])}


def _hex(path: Path) -> str:
    with storage_errors(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
