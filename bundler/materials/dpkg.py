"""What dpkg has installed: deb822 paragraphs of /var/lib/dpkg/status, and of single files in images without a dpkg.

Follows deb822(5) and dpkg's lib/dpkg/parse.c as far as a reader needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.materials.os_package import OsPackage, text_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WANTED = frozenset({"package", "version", "architecture", "source", "status"})


def dpkg_packages(data: bytearray) -> Iterator[OsPackage]:
    """Yield the installed packages; those that were removed and left their configuration are none.

    Paragraphs without a status are installed: images without dpkg have one file for each package.
    """
    for fields in _paragraphs(data):
        name, version = fields.get("package", ""), fields.get("version", "")
        # "want flag status"
        installed = fields.get("status", "install ok installed").split()[-1:] == ["installed"]
        if name and version and installed:
            yield OsPackage("deb", name, version, fields.get("architecture", ""), source=fields.get("source", ""))


def _paragraphs(data: bytearray) -> Iterator[Mapping[str, str]]:
    fields: dict[str, str] = {}
    for line in text_lines(data):
        if not line.strip():
            if fields:
                yield fields
            fields = {}
        elif not line[0].isspace():
            key, colon, value = line.partition(":")
            if colon and (known := key.lower()) in _WANTED:
                fields[known] = value.strip()
    if fields:
        yield fields
