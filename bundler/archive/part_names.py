"""What the files of a split archive are called, and which of them belong together. Pure; docs/formats.md, "Parts".

All numbers of a set have one width, so that a shell's glob puts the parts in order: `cat NAME.tar.gz.[0-9]*`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# NAME.tar.gz.000 is a part; any other name that ends in a number may be a whole archive
SUFFIXES = (".tar.gz", ".tgz")
PART_DIGITS, PARITY_DIGITS = 3, 2
# a number of more digits is a date or the like, and nobody carries so many parts
MAX_DIGITS = 6
WHOLE_SUM, PART_SUMS, PARITY_INDEX, BILL = ".sha256", ".parts.sha256", ".parity.json", ".cdx.json"
_PART = re.compile(rf"(?P<whole>.+)\.(?P<number>[0-9]{{{PART_DIGITS},{MAX_DIGITS}}})")
_PARITY = re.compile(rf"(?P<whole>.+)\.p(?P<number>[0-9]{{{PARITY_DIGITS},{MAX_DIGITS}}})")


class NumberedName(NamedTuple):
    """The name of a part or of a parity file, taken to pieces: the archive's own name, and its number."""

    whole: str
    number: int


def part_names(whole: str, count: int) -> tuple[str, ...]:
    """Return the names of all parts of an archive, in order."""
    width = len(str(count - 1))
    return tuple(part_name(whole, number, width) for number in range(count))


def part_name(whole: str, number: int, width: int = PART_DIGITS) -> str:
    """Return the name of one part, with a number of so many digits at least."""
    return f"{whole}.{number:0{max(width, PART_DIGITS)}}"


def parity_names(whole: str, count: int) -> tuple[str, ...]:
    """Return the names of all parity files of an archive, in order."""
    width = max(PARITY_DIGITS, len(str(count - 1)))
    return tuple(f"{whole}.p{number:0{width}}" for number in range(count))


def as_part(name: str) -> NumberedName | None:
    """Take the name of a part to pieces; None for any other name, though a whole archive may be called like a part."""
    return _numbered(_PART, name)


def as_parity(name: str) -> NumberedName | None:
    """Take the name of a parity file to pieces; None for any other name."""
    return _numbered(_PARITY, name)


def archive_name(name: str) -> str:
    """Return what an archive is called of which a file has this name: a part, a parity file, a list, or the archive."""
    if (numbered := as_part(name) or as_parity(name)) is not None:
        return numbered.whole
    for suffix in (PART_SUMS, PARITY_INDEX, WHOLE_SUM):
        if name.endswith(suffix) and len(name) > len(suffix):
            return name.removesuffix(suffix)
    return name


def files_of_split(whole: str, names: Iterable[str], listed: Collection[str] = ()) -> frozenset[str]:
    """Return which of these names another run has given to parts, parity and lists of an archive.

    Arguments:
        listed: what the list of parts of that run names; without it, what is called like a part of something that is no
            NAME.tar.gz may be a file of somebody else's.
    """
    beside = (f"{whole}{PART_SUMS}", f"{whole}{PARITY_INDEX}")
    ours = whole.endswith(SUFFIXES)
    numbered = ((name, as_part(name) or as_parity(name)) for name in names)
    return frozenset(
        name
        for name, found in numbered
        if name in beside or (found and found.whole == whole and (ours or name in listed))
    )


def _numbered(pattern: re.Pattern[str], name: str) -> NumberedName | None:
    match = pattern.fullmatch(name)
    return None if match is None else NumberedName(match["whole"], int(match["number"]))
