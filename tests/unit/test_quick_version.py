"""The version that is printed before Click is loaded is the one that Click would print."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from bundler.cli import bundler
from bundler.quick_version import answered
from mirror.cli import mirror

if TYPE_CHECKING:
    import click

PROGRAMS = {"bundler": bundler, "mirror": mirror}


@pytest.mark.parametrize(("name", "command"), PROGRAMS.items())
def test_it_is_the_same_line(name: str, command: click.Group, capfd: pytest.CaptureFixture[str]) -> None:
    assert answered(name, ["--version"])
    assert capfd.readouterr().out == CliRunner().invoke(command, ["--version"], prog_name=name).output


@pytest.mark.parametrize("arguments", [[], ["--help"], ["--version", "check"], ["check", "--version"]])
def test_whatever_else_is_for_click(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert not answered("bundler", arguments)
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_cannot_be_printed_is_left_to_click(program: str) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write) as closed:
        done = subprocess.run(
            [sys.executable, "-m", program, "--version"], stdout=closed, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("program", PROGRAMS)
def test_click_is_not_loaded(program: str) -> None:
    source = f"import sys; sys.argv[1:] = ['--version']; from {program}.__main__ import main; main()"
    source += "; print('click' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
