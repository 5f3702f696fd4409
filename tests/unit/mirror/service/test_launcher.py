"""What the unit starts when a bundle brings the tool: what stays right whichever bundle is activated later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mirror.service.launcher import bundle_launcher

if TYPE_CHECKING:
    from pathlib import Path


def bundle(directory: Path, *, tool: bool = True) -> Path:
    """Make a directory that looks like a bundle, with the tool for one machine."""
    directory.mkdir(exist_ok=True, parents=True)
    (directory / "bundle.json").write_text("{}")
    if tool:
        (directory / "runtime/x86_64").mkdir(parents=True)
        (directory / "bin").mkdir()
        (directory / "bin/mirror").write_text("#!/bin/sh\n")
    return directory


def prefix(directory: Path) -> str:
    return str(directory / "runtime/x86_64")


def test_a_root_that_is_the_bundle_starts_its_own_whatever_is_activated(tmp_path: Path) -> None:
    root = bundle(tmp_path / "opt")
    assert bundle_launcher(root, prefix(root)) == f"{root}/bin/mirror"
    sibling = bundle(root / "next")
    (root / "current").symlink_to("next")
    assert bundle_launcher(root, prefix(root)) == f"{root}/bin/mirror"
    assert bundle_launcher(root, prefix(sibling)) == f"{root}/bin/mirror"


@pytest.mark.parametrize("of_root", [False, True])
def test_of_bundles_side_by_side_the_active_one_is_started(tmp_path: Path, *, of_root: bool) -> None:
    root = tmp_path / "opt"
    first, _ = bundle(root / "first"), bundle(root / "second")
    if of_root:
        bundle(root, tool=False)
    (root / "current").symlink_to("second")
    assert bundle_launcher(root, prefix(first)) == f"{root}/current/bin/mirror"


def test_a_root_that_is_named_through_a_link_keeps_that_name(tmp_path: Path) -> None:
    first = bundle(tmp_path / "disk/first")
    (tmp_path / "disk/current").symlink_to("first")
    (tmp_path / "opt").symlink_to("disk")
    assert bundle_launcher(tmp_path / "opt", prefix(first)) == f"{tmp_path}/opt/current/bin/mirror"


def test_while_none_is_active_or_the_active_one_brings_no_tool_it_is_the_one_that_runs(tmp_path: Path) -> None:
    root = tmp_path / "opt"
    first, _ = bundle(root / "first"), bundle(root / "plain", tool=False)
    assert bundle_launcher(root, prefix(first)) == f"{first}/bin/mirror"
    (root / "current").symlink_to("plain")
    assert bundle_launcher(root, prefix(first)) == f"{first}/bin/mirror"
    elsewhere = bundle(tmp_path / "elsewhere")
    assert bundle_launcher(root, prefix(elsewhere)) == f"{elsewhere}/bin/mirror"


@pytest.mark.parametrize("place", ["/usr", "/srv/venv", "/", "/opt/python/runtime/x86_64"])
def test_a_python_that_no_bundle_brings_is_started_itself(tmp_path: Path, place: str) -> None:
    assert bundle_launcher(bundle(tmp_path / "opt"), place) == ""
