"""Bundles by their paths, as the commands open them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.archive import unpack as unpacking
from bundler.archive.opened_bundle import OpenedBundle, described
from bundler.source.open_source import open_source

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.unpack import Unpacked
    from bundler.model.progress import Task


def unpack(source: Path, directory: Path, task: Task) -> Unpacked:
    """Unpack an archive or a tree into a directory."""
    with open_source(str(source)) as reader:
        return unpacking.unpack(reader, directory, task)


def open_bundle(source: Path) -> OpenedBundle:
    """Read the description of an archive or a tree."""
    with open_source(str(source)) as reader:
        return described(reader)
