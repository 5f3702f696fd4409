"""pip's answers, as a stand-in for it gives them; the real one is asked in tests/integration."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId, IntegrityError, SourceError, ToolMissingError
from bundler.kinds.runtime.interface import NoFittingWheelError, WantedWheel
from bundler.kinds.runtime.pip import Pip
from bundler.kinds.runtime.requirements import Target
from bundler.model.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target("3.12.7", "aarch64")
CLICK = WantedWheel("click", "8.1", "click-8.1-py3-none-any.whl", Digest.sha256(b""))


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where pip works."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def pip(tmp_path: Path, script: str) -> Pip:
    """Return a pip that keeps its arguments and then does this."""
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{tmp_path}/arguments\n{script}\n')
    program.chmod(0o755)
    return Pip(str(program), {"PATH": "/usr/bin:/bin"})


def test_it_is_asked_for_wheels_of_the_target_alone(tmp_path: Path, directory: Path) -> None:
    script = f"""cat >{tmp_path}/input
      echo '{{"install": [{{"metadata": {{"name": "click", "version": "8.1", "requires_dist": ["x"]}},
        "download_info": {{"url": "https://i/click-8.1%2Bl.whl", "archive_info": {{"hashes": {{"md5": "1"}}}}}}}}]}}' \
        >{directory}/report.json"""

    [found] = pip(tmp_path, script).resolve(["click>=8", "x"], TARGET, directory)

    assert found.wheel == WantedWheel("click", "8.1", "click-8.1+l.whl", None)
    assert found.requires == ("x",)
    arguments = (tmp_path / "arguments").read_text().splitlines()
    platforms = [value for option, value in pairwise(arguments) if option == "--platform"]
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64", "manylinux1_aarch64"} <= set(platforms)
    assert "manylinux_2_18_aarch64" not in platforms
    assert {"--only-binary", "3.12.7", "cp312", "abi3", "none", "--dry-run"} <= set(arguments)
    assert (tmp_path / "input").read_text() == "click>=8\nx"


def test_a_requirement_without_a_wheel_is_named(tmp_path: Path, directory: Path) -> None:
    complaint = "ERROR: No matching distribution found for pyftpdlib<2.3,>=2.2 (from x)"
    with pytest.raises(NoFittingWheelError) as caught:
        pip(tmp_path, f"echo '{complaint}' >&2; exit 1").resolve(["x"], TARGET, directory)
    assert caught.value.requirement == "pyftpdlib<2.3,>=2.2"


@pytest.mark.parametrize(
    ("complaint", "error", "error_id"),
    [
        ("/usr/bin/python3: No module named pip", ToolMissingError, ErrorId.TOOL_MISSING),
        ("no such option: --report", ToolMissingError, ErrorId.TOOL_MISSING),
        (
            "WARNING: Retrying (Retry(total=0))\nERROR: No matching distribution found for x",
            SourceError,
            ErrorId.SOURCE_UNREACHABLE,
        ),
        ("ERROR: ResolutionImpossible: a and b", SourceError, ErrorId.SOURCE_INVALID),
    ],
)
def test_its_complaints_are_told_apart(
    tmp_path: Path, directory: Path, complaint: str, error: type[BundlerError], error_id: ErrorId
) -> None:
    with pytest.raises(error) as caught:
        pip(tmp_path, f"echo '{complaint}' >&2; exit 1").resolve(["x"], TARGET, directory)
    assert caught.value.id == error_id


def test_a_report_that_is_none_is_told(tmp_path: Path, directory: Path) -> None:
    with pytest.raises(SourceError, match="report that cannot be read"):
        pip(tmp_path, f"echo '[]' >{directory}/report.json").resolve(["x"], TARGET, directory)


def test_other_bytes_than_are_wanted_are_an_integrity_error(tmp_path: Path, directory: Path) -> None:
    got = Digest.sha256(b"other").hex
    script = f"echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n Expected sha256 0\n Got        {got}' >&2; exit 1"
    with pytest.raises(IntegrityError) as caught:
        pip(tmp_path, script).fetch([CLICK], TARGET, directory)
    assert (caught.value.want, caught.value.got) == (str(CLICK.digest), f"sha256:{got}")


def test_a_wheel_that_does_not_come_is_told(tmp_path: Path, directory: Path) -> None:
    with pytest.raises(SourceError, match="does not bring click"):
        pip(tmp_path, ":").fetch([CLICK], TARGET, directory)


def test_nothing_is_asked_for_no_wheels(tmp_path: Path, directory: Path) -> None:
    assert pip(tmp_path, "exit 1").fetch([], TARGET, directory) == {}


def test_what_is_passed_over_is_told(tmp_path: Path, directory: Path) -> None:
    why = "none of the wheel's tags (cp39-cp39-win32) are compatible (run pip debug)"
    link = f"Skipping link: {why}: https://i/f/x-1-cp39-cp39-win32.whl#sha256=1"
    assert pip(tmp_path, f'echo "{link}"').offers("x", TARGET, directory) == ("x-1-cp39-cp39-win32.whl",)


def test_no_sources_are_no_wheel(tmp_path: Path, directory: Path) -> None:
    assert pip(tmp_path, "exit 1").build("x", directory) is None
