"""What apk has installed: paragraphs of one-letter fields (apk-tools, doc/apk-package.5, "installed database")."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from bundler.materials.os_package import OsPackage, text_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_WANTED = frozenset("PVALo")


def apk_packages(data: bytearray) -> Iterator[OsPackage]:
    """Yield the installed packages of lib/apk/db/installed."""
    fields: dict[str, str] = {}
    for line in chain(text_lines(data), ("",)):
        key, colon, value = line.partition(":")
        if not line:
            yield from _package(fields)
            fields = {}
        elif colon and key in _WANTED:
            fields[key] = value.strip()


def _package(fields: Mapping[str, str]) -> Iterator[OsPackage]:
    name, version = fields.get("P", ""), fields.get("V", "")
    if name and version:
        source = fields.get("o", "")
        yield OsPackage(
            "apk",
            name,
            version,
            fields.get("A", ""),
            source="" if source == name else source,
            license_text=fields.get("L", ""),
        )
