"""The `mirror` command as a whole."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from bundler.console import EXIT_USAGE
from mirror.cli import ORDER, mirror


def test_commands_are_listed_in_the_order_of_their_use() -> None:
    said = CliRunner().invoke(mirror, ["--help"]).output
    places = [said.index(f"\n  {name} ") for name in ORDER]
    assert places == sorted(places)


def test_a_wrong_command_line_ends_with_2_and_no_traceback() -> None:
    done = subprocess.run([sys.executable, "-m", "mirror", "sevre"], capture_output=True, text=True, check=False)
    assert done.returncode == EXIT_USAGE
    assert "No such command 'sevre'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "86401", "soon"])
def test_a_grace_that_never_ends_is_refused(seconds: str) -> None:
    done = CliRunner().invoke(mirror, ["serve", "--root", "/nowhere", "--grace", seconds])
    assert done.exit_code == EXIT_USAGE
    assert "--grace" in done.output
