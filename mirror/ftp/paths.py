"""What a client's path means: the path of the tree that is asked for (`Site.find`). Pure text; knows no disk."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mirror.tree.served import DirectoryEntry

MAX_PATTERN_CHARACTERS = 255
_MAX_STARS = 8
_MAGIC = re.compile(r"[*?\[]")


def resolve(current: str, argument: str) -> str:
    """Return the path below the top that an argument names, without slashes at its ends.

    Arguments:
        current: the current directory, in the same form.
        argument: as the client says it; absolute when it begins with a slash. `..` ends at the top (RFC 3659, 6).
    """
    if argument.isascii() and "/" not in argument and argument not in ("", ".", ".."):
        return f"{current}/{argument}" if current else argument
    segments = [] if argument.startswith("/") or not current else current.split("/")
    for segment in argument.split("/"):
        if segment == "..":
            if segments:
                segments.pop()
        elif segment not in ("", "."):
            segments.append(segment)
    return "/".join(segments)


def quoted(path: str) -> str:
    """Return a path as replies show it: absolute, in quotes, quotes in it doubled (RFC 959, appendix II)."""
    return '"/' + path.replace('"', '""') + '"'


def without_options(argument: str) -> str:
    """Return a listing's argument without what clients mean for /bin/ls (`-la PATH`)."""
    while argument.startswith("-"):
        argument = argument.partition(" ")[2].lstrip()
    return argument


def is_pattern(path: str) -> bool:
    """Tell whether the last segment is a shell pattern that may be tried."""
    name = path.rpartition("/")[2]
    return bool(_MAGIC.search(name)) and len(name) <= MAX_PATTERN_CHARACTERS and name.count("*") <= _MAX_STARS


def matching(entries: Iterable[DirectoryEntry], pattern: str) -> tuple[DirectoryEntry, ...]:
    """Return the entries whose names match a shell pattern; as in a shell, no `*` stands for a first dot."""
    matches = re.compile(fnmatch.translate(pattern)).match
    hidden = pattern.startswith(".")
    return tuple(entry for entry in entries if matches(entry.name) and (hidden or not entry.name.startswith(".")))
