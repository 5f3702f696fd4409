"""Programs read the page's plain links: wget fetches a directory by them, and nothing that is above it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

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
    assert server.site.current is not None
    return {file for file in server.site.current.files if file.startswith(f"{path}/")}


def test_wget_mirrors_a_repository(server: PageServer, tmp_path: Path) -> None:
    assert _fetched(server, "yum", tmp_path) == _listed(server, "yum")


def test_wget_follows_the_pages_of_a_long_directory(server: PageServer, tmp_path: Path) -> None:
    assert _fetched(server, "many", tmp_path) == _listed(server, "many")
