"""The scripts that travel with the images, each whole in one file, joined from the sources in `data/`.

Owns how a script is joined; what it does is its own to say. A source is a script to sh and to whoever reads it: what is
meant for the joining looks like a comment. What a bundle holds follows from its lock alone, so changing the sources
must not change what they are joined to, unless the scripts are to do something else.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

SCRIPTS = ("load.sh", "push.sh")
# in a part: the file name of the script that it is joined into
OWN_NAME = "@SCRIPT@"
# lines that do not travel: those that name a part, and notes on the sources
_INCLUDE = "##include "
_NOTE = "##"


def travelling_scripts() -> Mapping[str, bytes]:
    """Return file name -> content of the scripts that lie beside the images."""
    sources = resources.files("bundler.kinds.images") / "data"

    def source(name: str) -> str:
        return (sources / name).read_text(encoding="utf-8")

    return {name: joined(name, source).encode() for name in SCRIPTS}


def joined(name: str, source: Callable[[str], str]) -> str:
    """Return a script with its parts in place and its notes left out.

    Arguments:
        name: the script's file name.
        source: file name -> text of a script or part.
    """
    return "".join(_travelling_lines(name, source)).replace(OWN_NAME, name)


def _travelling_lines(name: str, source: Callable[[str], str]) -> Iterator[str]:
    for line in source(name).splitlines(keepends=True):
        if line.startswith(_INCLUDE):
            yield from _travelling_lines(line.removeprefix(_INCLUDE).strip(), source)
        elif not line.startswith(_NOTE):
            yield line
