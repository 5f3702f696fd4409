"""Programs read the page's plain links: wget fetches a directory by them, and nothing that is above it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.unit.mirror.bundle_tree import all_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.page_server import PageServer


def _fetched(server: PageServer, path: str, directory: Path) -> set[str]:
    command = ["wget", "--recursive", "--no-parent", "--no-host-directories", "--no-verbose", "--reject", "index.html*"]
    subprocess.run(
        [*command, f"http://127.0.0.1:{server.port}/{path}/"], cwd=directory, check=True, capture_output=True
    )
    return {str(file.relative_to(directory)) for file in directory.rglob("*") if file.is_file()}


def _listed(server: PageServer, path: str) -> set[str]:
    return set(all_files(server.site, path))


def test_wget_mirrors_a_repository(server: PageServer, tmp_path: Path) -> None:
    assert _fetched(server, "yum", tmp_path) == _listed(server, "yum")


def test_wget_follows_the_pages_of_a_long_directory(server: PageServer, tmp_path: Path) -> None:
    assert _fetched(server, "many", tmp_path) == _listed(server, "many")
