"""Which parts an archive has, where each of them lies, and which bytes of the archive it holds.

Parts may lie in several directories: each medium that they were carried on is one. A list of sums beside the first one
found tells how many there are; without it only a gap in the numbers shows that one is missing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from bundler.archive.faults import not_found
from bundler.archive.part_names import PARITY_INDEX, PART_SUMS, SUFFIXES, archive_name, as_parity, as_part
from bundler.durable import storage_errors
from bundler.model.bundle import INDEX_PATH
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_SUM = re.compile(r"(?P<hex>[0-9a-f]{64}) [ *](?P<name>.+)")
MAX_SUMS_BYTES = 4 * 1024 * 1024


class ByteRange(NamedTuple):
    """Bytes from `begin` to before `end`; an `end` of None is not known."""

    begin: int
    end: int | None

    def __str__(self) -> str:
        return tr(
            "bytes {begin} to {value}", begin=self.begin, value=tr("the end") if self.end is None else self.end - 1
        )


class PartRequest(Protocol):
    """Asks a person for a medium."""

    def ask(self, name: str) -> bool:
        """Ask for the medium with a part, and wait; False when there is none to come."""

    def stop(self) -> None:
        """End what waits for an answer, now and from now on."""


@dataclass(frozen=True, slots=True)
class PartPlaces:
    """Where parts may lie beside the directory of the one that was named.

    Arguments:
        directories: looked through in this order, after that directory.
        request: asks for parts that are in none of them; None where nobody can be asked.
    """

    directories: tuple[Path, ...] = ()
    request: PartRequest | None = None


NOWHERE_ELSE = PartPlaces()


@dataclass(frozen=True, slots=True)
class PartSet:
    """The parts of one archive, whether they are there or not.

    Arguments:
        whole: where the archive itself would lie.
        names: of all parts that are known of, in order.
        directories: where they are looked for.
        sums: name to hex SHA-256, where that is known.
        part_bytes: the size of every part but the last, as most of those that are there have it; None when none is.
    """

    whole: Path
    names: tuple[str, ...]
    directories: tuple[Path, ...]
    sums: Mapping[str, str] = field(default_factory=dict)
    part_bytes: int | None = None

    def path(self, name: str) -> Path | None:
        """Return where a part, or another file of the set, lies at this moment. Raises StorageError."""
        with storage_errors(self.whole):
            return found_in(self.directories, name)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of parts that lie nowhere."""
        return tuple(name for name in self.names if self.path(name) is None)

    def byte_range(self, name: str) -> ByteRange | None:
        """Return which bytes of the archive a part holds; None where no part tells how large they are."""
        last = name == self.names[-1]
        if last and len(self.names) == 1:
            return ByteRange(0, None)
        if self.part_bytes is None:
            return None
        begin = self.names.index(name) * self.part_bytes
        return ByteRange(begin, None if last else begin + self.part_bytes)

    def described(self, name: str) -> str:
        """Return a part's name with its range, for a person."""
        found = self.byte_range(name)
        return name if found is None else tr("{name} ({found} of the archive)", name=name, found=found)


def found_in(directories: Sequence[Path], name: str) -> Path | None:
    """Return the first file of that name. Raises OSError."""
    return next((path for place in directories if (path := place / name).is_file()), None)


def holds_parts(directory: Path) -> bool:
    """Tell whether a directory is one that parts were put into, and no unpacked bundle. Raises StorageError."""
    with storage_errors(directory):
        return not (directory / INDEX_PATH).exists() and any(_wholes_in(directory))


def find_parts(path: Path, places: PartPlaces = NOWHERE_ELSE) -> PartSet | None:
    """Find the parts of an archive by its own name, that of any file of the set, or by a directory that holds them.

    Returns None when no part, and no list of parts, is found. Raises BundleFormatError (BUNDLE_NOT_FOUND, for a
    directory with parts of no archive, or of several), StorageError.
    """
    with storage_errors(path):
        if path.is_dir():
            directories = (path, *places.directories)
            whole = path / only_archive(path, directories)
        else:
            directories = (path.parent, *places.directories)
            whole = path.with_name(archive_name(path.name))
        listed = _list_of_parts(whole.name, directories)
        names = _all_names(whole.name, _found(whole.name, directories), listed, wanted=path.name)
        if not names:
            return None
        paths = (found_in(directories, name) for name in names[:-1])
        sizes = [path.stat().st_size for path in paths if path is not None]
    return PartSet(whole, names, directories, listed.sums, max(set(sizes), key=sizes.count, default=None))


def listed_sums(whole: Path) -> Mapping[str, str]:
    """Return what the list of parts beside an archive's name says: name to hex SHA-256. Raises StorageError."""
    with storage_errors(whole):
        return sums_in_list(whole.name, (whole.parent,))


def sums_in_list(whole: str, directories: Sequence[Path]) -> Mapping[str, str]:
    """Return what the first list of parts that is found says: name to hex SHA-256. Raises OSError."""
    return _list_of_parts(whole, directories).sums


@dataclass(frozen=True, slots=True)
class _Listed:
    """What a list of parts says: name to hex SHA-256; `intact` is False when it has lines that say nothing."""

    sums: Mapping[str, str]
    intact: bool = True


def _list_of_parts(whole: str, directories: Sequence[Path]) -> _Listed:
    path = found_in(directories, f"{whole}{PART_SUMS}")
    if path is None:
        return _Listed({})
    with path.open("rb") as stream:
        lines = stream.read(MAX_SUMS_BYTES).decode("utf-8", "replace").splitlines()
    matches = [match for line in lines if (match := _SUM.fullmatch(line)) and _is_part(match["name"], whole)]
    return _Listed({match["name"]: match["hex"] for match in matches}, len(matches) == len(lines))


def _is_part(name: str, whole: str) -> bool:
    return (numbered := as_part(name)) is not None and numbered.whole == whole


def _wholes_in(directory: Path) -> Iterator[str]:
    """Yield the archive's name for each part, parity file and list of these in a directory."""
    for entry in directory.iterdir():
        if entry.name.endswith((PART_SUMS, PARITY_INDEX)):
            yield archive_name(entry.name)
        elif (found := as_part(entry.name) or as_parity(entry.name)) is not None and found.whole.endswith(SUFFIXES):
            yield found.whole


def only_archive(path: Path, directories: Sequence[Path]) -> str:
    """Return the name of the one archive of which directories hold parts, parity or their lists.

    Raises BundleFormatError (BUNDLE_NOT_FOUND) for none or several, with `path` as the place; OSError.
    """
    found = sorted({whole for directory in directories if directory.is_dir() for whole in _wholes_in(directory)})
    if not found:
        raise not_found(str(path), tr("holds no part of an archive"))
    if len(found) > 1:
        raise not_found(
            str(path),
            tr("holds parts of several archives ({found}); name the first part of one", found=", ".join(found)),
        )
    return found[0]


def _found(whole: str, directories: Sequence[Path]) -> frozenset[str]:
    entries = (entry for directory in directories if directory.is_dir() for entry in directory.iterdir())
    return frozenset(entry.name for entry in entries if _is_part(entry.name, whole))


def _all_names(whole: str, found: frozenset[str], listed: _Listed, *, wanted: str) -> tuple[str, ...]:
    """Return the names of all parts: those listed, or all numbers up to the highest that was found.

    Arguments:
        wanted: the name that was given: of numbers of two widths its own counts, or else the shorter one.
    """
    if listed.sums:
        width = max(map(_width, listed.sums))
        # of a list with a damaged line the last part may be missing
        numbers = [_number(name) for name in (listed.sums if listed.intact else {*listed.sums, *found})]
    else:
        width = _width(wanted) if wanted in found else min(map(_width, found), default=0)
        numbers = [_number(name) for name in found if _width(name) == width]
    return tuple(f"{whole}.{number:0{width}}" for number in range(max(numbers, default=-1) + 1))


def _width(name: str) -> int:
    return len(name.rpartition(".")[2])


def _number(name: str) -> int:
    return int(name.rpartition(".")[2])
