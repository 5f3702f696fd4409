"""What an operator's odd command lines, paths and streams lead to: a clear error or nothing special, never a hang."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.upstream import COMMAND_WITHIN_S, PROGRAM, environment, run, sha256

if TYPE_CHECKING:
    from tests.e2e.upstream import Upstream


def test_an_archive_replaces_nothing_but_a_file(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()
    run(tmp_path, "lock", manifest)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    before = {name: (tmp_path / name).lstat() for name in ("site.yaml", "site.lock.json", "pipe", "link")}
    for name in before:
        assert "[storage-unusable]" in run(tmp_path, "build", manifest, "-o", name, code=11).stderr
    assert {name: (tmp_path / name).lstat().st_ino for name in before} == {
        name: found.st_ino for name, found in before.items()
    }
    for wrong in ("", "-"):
        run(tmp_path, "build", manifest, "-o", wrong, code=2)
    assert "Not a directory" in run(tmp_path, "build", manifest, "-o", "site.yaml/x", code=11).stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", ""),
        ("plan", "site.yaml", "--store", ""),
        ("verify", ""),
        ("unpack", "site.yaml", "-C", ""),
        ("unpack", "", "-C", "x"),
        ("inspect", ""),
        ("diff", "", "x"),
        ("sbom", ""),
        ("sbom", "x.tar.gz", "-o", ""),
        ("report", ""),
        ("store", "prune", ""),
    ],
)
def test_an_unset_variable_of_a_script_is_not_the_working_directory(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert "the path is empty" in run(tmp_path, *arguments, code=2).stderr


@pytest.mark.parametrize("wrong", ["abc", "-5", "\u00b2", "9" * 5000])
def test_a_date_cap_that_is_no_number_is_a_usage_error(tmp_path: Path, wrong: str) -> None:
    assert "not a number" in run(tmp_path, "build", "site.yaml", code=2, SOURCE_DATE_EPOCH=wrong).stderr


def test_a_build_ends_although_nobody_reads_its_progress(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as broken, Path("/dev/full").open("wb") as full:
        for number, stderr in enumerate((broken, full)):
            built = subprocess.run(
                [PROGRAM, "build", manifest, "-o", f"{number}.tar.gz", "--store", f"store{number}"],
                cwd=tmp_path,
                env=environment(tmp_path),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                timeout=COMMAND_WITHIN_S,
                check=False,
            )
            assert built.returncode == 0
    assert sha256(tmp_path / "0.tar.gz") == sha256(tmp_path / "1.tar.gz")


def test_an_answer_that_stdout_cannot_take_is_an_error_and_a_reader_that_left_is_none(tmp_path: Path) -> None:
    def code(stdout: str) -> tuple[int, str]:
        command = ["sh", "-c", f'"$0" schema {stdout}', str(PROGRAM)]
        told = subprocess.run(
            command, env=environment(tmp_path), capture_output=True, text=True, timeout=60, check=False
        )
        return told.returncode, told.stderr

    assert code(">/dev/full")[0] == 11
    assert "standard output: no room left" in code(">/dev/full")[1]
    assert code(">&-") == (0, "")
    assert code("| true") == (0, "")
