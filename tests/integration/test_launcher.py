"""The launchers of a runtime in every shell that a site may have; a script stands in for the Python."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from bundler.kinds.runtime.own_scripts import PROGRAMS, own_scripts

if TYPE_CHECKING:
    from pathlib import Path

SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "ash": ["busybox", "ash"]}
every_shell = pytest.mark.parametrize("shell", SHELLS.values(), ids=SHELLS)
MACHINE = os.uname().machine
PYTHON = """#!/bin/sh
echo "$0"
for argument; do echo "<$argument>"; done
"""


@pytest.fixture(params=["bundle", "a b", "q'\"$x`*", "-dash", "tail\n"], ids=repr)
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A bundle with a launcher and a stand-in for the Python, in a directory of an awkward name."""
    directory: Path = tmp_path / request.param
    for path, content in own_scripts().items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(content)
        (directory / path).chmod(0o755)
    python = directory / "runtime" / MACHINE / "bin" / "python3"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON)
    python.chmod(0o755)
    return directory


def _run(command: list[str], directory: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(command, cwd=directory, env=given, capture_output=True, text=True, check=False)


@every_shell
@pytest.mark.parametrize("program", PROGRAMS)
def test_arguments_arrive_as_they_are(root: Path, shell: list[str], program: str) -> None:
    done = _run([*shell, str(root / "bin" / program), "a b", "", "*", "$x", "-n"], root.parent, CDPATH="/:/tmp")

    wanted = [str(root / "runtime" / MACHINE / "bin" / "python3"), "<-I>", "<-B>", "<-m>", f"<{program}>"]
    assert done.stdout == "\n".join([*wanted, "<a b>", "<>", "<*>", "<$x>", "<-n>", ""])
    assert (done.stderr, done.returncode) == ("", 0)


@every_shell
def test_links_are_followed_from_where_they_lie(root: Path, shell: list[str], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "bundler").symlink_to(root / "bin" / "bundler")
    (elsewhere / "deep" / "again").symlink_to("../bundler")

    for name in ("bundler", "deep/again"):
        done = _run([*shell, name], elsewhere)
        assert done.stdout.startswith(str(root / "runtime")), done.stderr


@every_shell
def test_a_python_that_may_not_be_executed_is_told_of(root: Path, shell: list[str]) -> None:
    (root / "runtime" / MACHINE / "bin" / "python3").chmod(0o644)

    done = _run([*shell, str(root / "bin" / "bundler")], root)

    assert done.returncode == 10
    assert "bundler: " in done.stderr
    assert "noexec" in done.stderr


# busybox's ash runs its own uname; tests/integration/test_runtime.py has it on another machine
@pytest.mark.parametrize("shell", [SHELLS["dash"], SHELLS["bash"]], ids=["dash", "bash"])
@pytest.mark.parametrize("machine", ["armv7l", "riscv64", "i686"])
def test_a_machine_without_a_runtime_is_told_so(root: Path, shell: list[str], machine: str, tmp_path: Path) -> None:
    (tmp_path / "uname").write_text(f"#!/bin/sh\necho {machine}\n")
    (tmp_path / "uname").chmod(0o755)

    done = _run([*shell, str(root / "bin" / "mirror")], root, PATH=f"{tmp_path}:{os.environ['PATH']}")

    assert done.returncode == 10
    assert f"no runtime for {machine}" in done.stderr
    assert f"runtime/{MACHINE}" in done.stderr
