"""Where links and second names lead: root appends to no file that somebody else chose."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bundler.appended_file import open_appended
from bundler.diagnostics import Diagnostics, DiagnosticSettings
from bundler.errors import StorageError

if TYPE_CHECKING:
    from pathlib import Path

ANOTHER_USER = 54_321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="whoever is not root can be led nowhere")


def _append(target: Path) -> None:
    descriptor = open_appended(target, 0o640)
    os.write(descriptor, b"line\n")
    os.close(descriptor)


def test_ones_own_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "access.log").symlink_to("disk/real.log")
    _append(tmp_path / "access.log")
    assert (tmp_path / "disk/real.log").read_bytes() == b"line\n"


def test_a_descriptor_may_be_named_as_containers_do(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    (tmp_path / "stdout").symlink_to(f"/proc/self/fd/{writing}")
    _append(tmp_path / "stdout")
    os.close(writing)
    assert os.read(reading, 100) == b"line\n"
    os.close(reading)


@as_root
def test_root_appends_to_no_file_that_somebody_else_chose(tmp_path: Path) -> None:
    theirs = tmp_path / "secret"
    theirs.write_bytes(b"secret")
    link, second = tmp_path / "access.log", tmp_path / "second.log"
    link.symlink_to(theirs)
    os.lchown(link, ANOTHER_USER, ANOTHER_USER)
    second.hardlink_to(theirs)
    for target, words in ((link, "another user made"), (second, "second name")):
        with pytest.raises(OSError, match=words):
            open_appended(target, 0o640)
        # the log of any command
        with pytest.raises(StorageError, match=words):
            Diagnostics().configure(DiagnosticSettings(log_file=target))
    assert theirs.read_bytes() == b"secret"


def test_links_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        open_appended(tmp_path / "a", 0o640)
