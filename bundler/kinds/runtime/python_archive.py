"""An archive with a relocatable CPython in it: what it is, and what of it lands where. Decides by names; reads nothing.

The shape is that of the "install_only" archives of python-build-standalone (its docs/distributions.rst), whoever packed
them: `python/bin/python3.N`, `python/lib/python3.N/`, `python/include/python3.N/patchlevel.h`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ManifestError
from bundler.kinds.runtime.pruning import is_needed_of_stdlib
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.upstream_archive.selection import ListedMember

TOP = "python/"
INTERPRETER = "bin/python3"
_PROGRAMS = "bin/"
_EXECUTABLE = re.compile(r"python/bin/python(3\.\d+)")
_VERSION = re.compile(rb'^#define\s+PY_VERSION\s+"(3\.\d+\.\d+)"\s*$', re.MULTILINE)
MAX_LINKS = 8


@dataclass(frozen=True, slots=True)
class PythonLayout:
    """What of an archive lands where.

    Arguments:
        minor: `3.12`.
        landing: name of a member -> path below the runtime's directory; shared libraries are not among them, because
            which are needed is known only when these are read.
        links: name of a link -> the member it leads to.
    """

    minor: str
    landing: Mapping[str, str]
    links: Mapping[str, str]
    members: frozenset[str]

    @property
    def version_header(self) -> str:
        """The member that tells the version in full."""
        return f"{TOP}include/python{self.minor}/patchlevel.h"

    def library(self, name: str) -> str | None:
        """Return the member that is a shared library of this name; None where the archive has none (libc)."""
        member = f"{TOP}lib/{name}"
        member = self.links.get(member, member)
        return member if member in self.members else None


def mode_of(path: str) -> int:
    """Return the mode of a file below the runtime's directory: programs alone are started, all else is read."""
    return 0o755 if path.startswith(_PROGRAMS) else 0o644


def python_layout(listing: Sequence[ListedMember], where: str) -> PythonLayout:
    """Return what of an archive with these members lands where.

    Raises ManifestError (RUNTIME_UNFIT) when it has another shape.
    """
    files = frozenset(member.name for member in listing if not member.target)
    found = {match.group(1): match.string for name in sorted(files) if (match := _EXECUTABLE.fullmatch(name))}
    if len(found) != 1:
        raise unfit(tr("holds {count} programs python/bin/python3.N, and one is wanted", count=len(found)), where)
    [(minor, executable)] = found.items()
    library = f"{TOP}lib/python{minor}/"
    stdlib = (name for name in files if name.startswith(library) and is_needed_of_stdlib(name.removeprefix(library)))
    landing = {executable: INTERPRETER} | {name: name.removeprefix(TOP) for name in stdlib}
    layout = PythonLayout(minor, landing, _followed(listing, files), files)
    for wanted in (f"{library}os.py", layout.version_header):
        if wanted not in files:
            raise unfit(tr("has no {wanted}", wanted=wanted), where)
    return layout


def python_version(header: bytes, layout: PythonLayout, where: str) -> str:
    """Return the version in full, `3.12.7`, that patchlevel.h tells; ManifestError (RUNTIME_UNFIT)."""
    match = _VERSION.search(header)
    version = match.group(1).decode() if match else ""
    if not version.startswith(f"{layout.minor}."):
        raise unfit(
            tr(
                "does not tell in {version_header} which release of Python {minor} it is",
                version_header=layout.version_header,
                minor=layout.minor,
            ),
            where,
        )
    return version


def unfit(what: str, where: str) -> ManifestError:
    """Return the error for an archive that cannot be a runtime's Python."""
    return ManifestError(
        ErrorId.RUNTIME_UNFIT,
        what,
        where=where,
        remedy=tr(
            "Name an archive of python-build-standalone whose name has the machine, `-unknown-linux-gnu-` and "
            "`install_only`."
        ),
    )


def _followed(listing: Iterable[ListedMember], files: frozenset[str]) -> Mapping[str, str]:
    """Return the links that lead to a file of their own directory."""
    targets = {
        member.name: f"{member.name.rpartition('/')[0]}/{member.target}"
        for member in listing
        if member.target and "/" not in member.target
    }
    followed = {}
    for name in targets:
        end = name
        for _ in range(MAX_LINKS):
            end = targets.get(end, end)
        if end in files:
            followed[name] = end
    return followed
