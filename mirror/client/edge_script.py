"""edge.sh: what brings an edge node its part of the bundle with sh and curl alone, each file held to its sum. Pure.

The script itself is `data/edge.sh`; this fills in the address, the bundle, and a line for each file that any machine
wants. What a machine wants is what `bundler unpack --role edge --platform …` would take.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import quote

from bundler.model.platform import Platform
from bundler.model.subset import ALWAYS_WANTED, Choice
from bundler.trust.shell_check import with_signature_check

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from bundler.model.bundle import IndexedFile

EDGE_SCRIPT = "edge.sh"
# what edge.sh calls each machine in a line, and the platform that its files are for
_MACHINES = {
    "x": Platform("linux", "amd64"),
    "a": Platform("linux", "arm64"),
    "v": Platform("linux", "arm", "v7"),
}
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
# RFC 3986, 3.2.2, and no more than names that a resolver takes; an IPv6 address is looked at no closer: it is quoted
_HOST = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]{{2,45}}\])(?::[0-9]{{1,5}})?")
_MAX_HOST_CHARACTERS = 260


def is_plain_host(text: str) -> bool:
    """Tell whether a Host field is a name or an address with an optional port, so that it may stand in a script."""
    return len(text) <= _MAX_HOST_CHARACTERS and _HOST.fullmatch(text) is not None


def edge_script(files: Iterable[IndexedFile], *, name: str, bundle_id: str, base_url: str) -> str:
    """Return the script for one bundle: `script_halves` with the address between them.

    Arguments:
        base_url: what stands before a path and a slash; the caller has made sure of its host.

    Raises ValueError for a URL with a quote in it.
    """
    before, after = script_halves(script_template(), files, name=name, bundle_id=bundle_id)
    return f"{before}{quoted_url(base_url)}{after}"


def quoted_url(base_url: str) -> str:
    """Return an address as the script has it. Raises ValueError for a URL with a quote in it."""
    if "'" in base_url:
        raise ValueError(f"{base_url!r} cannot stand between quotes")
    return f"'{base_url}'"


def script_template() -> str:
    """Read the script from the tool's own files; `@NAME@`, `@ID@`, `@MIRROR@` and `@FILES@` are to be filled in."""
    return with_signature_check((resources.files("mirror.client") / "data" / EDGE_SCRIPT).read_text(encoding="utf-8"))


def script_halves(
    template: str, files: Iterable[IndexedFile], *, name: str, bundle_id: str, left_out: Collection[IndexedFile] = ()
) -> tuple[str, str]:
    """Return what stands before the address in the script for one bundle, and what follows it.

    Arguments:
        template: of `script_template`.
        files: all that must exist, bundle.json and SHA256SUMS included.
        name: of the directory that the bundle gets.
        left_out: what the mirror lacks of the bundle; a machine that needs any of it gets nothing.
    """
    before, after = template.replace("@NAME@", name).replace("@ID@", bundle_id).split("@MIRROR@")
    middle, tail = after.split("@FILES@\n")
    return before, "".join((middle, *_lines(files, left_out), tail))


def _lines(files: Iterable[IndexedFile], left_out: Collection[IndexedFile]) -> Iterator[str]:
    choices = {letter: Choice(("edge",), (platform,)) for letter, platform in _MACHINES.items()}
    choices = {letter: choice for letter, choice in choices.items() if not any(map(choice.wants, left_out))}
    # thousands of files share a few of these
    shared: dict[tuple[object, ...], str] = {}
    for file in sorted(files, key=lambda file: file.path):
        key = (file.path in ALWAYS_WANTED, file.roles, file.platforms)
        if key not in shared:
            shared[key] = "".join(letter for letter, choice in choices.items() if choice.wants(file))
        if letters := shared[key]:
            fields = (letters, f"{file.mode:o}", str(file.blob.size), file.blob.digest.hex, quote(file.path), file.path)
            yield "\t".join(fields) + "\n"
