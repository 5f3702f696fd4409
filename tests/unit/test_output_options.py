"""The options that every command has: where they may stand, which one counts, what each leaves and adds."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from bundler import console
from bundler.console import EXIT_USAGE
from bundler.diagnostics import DIAGNOSTICS, DiagnosticSettings

if TYPE_CHECKING:
    from pathlib import Path


def bundler(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bundler", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )


@pytest.mark.parametrize("words", [("-v", "check", "no.yaml"), ("check", "-v", "no.yaml"), ("check", "no.yaml", "-v")])
def test_they_stand_before_and_behind_a_command(words: tuple[str, ...], tmp_path: Path) -> None:
    lines = bundler(*words, cwd=tmp_path).stderr.splitlines()
    assert lines[0].startswith("error: no.yaml: ")
    assert lines[-1].startswith("bundler: exit 3 after ")


def test_behind_the_command_of_a_group_too(tmp_path: Path) -> None:
    for words in (("store", "-v", "info"), ("-v", "store", "info"), ("store", "info", "-v")):
        assert "exit 0 after" in bundler(*words, "--store", ".", cwd=tmp_path).stderr


def test_quiet_leaves_errors(tmp_path: Path) -> None:
    done = bundler("-q", "check", "no.yaml", cwd=tmp_path)
    assert done.stderr.startswith("error: no.yaml: ")
    assert done.stdout == ""


def test_quiet_and_verbose_exclude_each_other(tmp_path: Path) -> None:
    done = bundler("-q", "check", "-v", "no.yaml", cwd=tmp_path)
    assert (done.returncode, "exclude each other" in done.stderr) == (EXIT_USAGE, True)


def test_what_is_typed_wins_over_a_variable(tmp_path: Path) -> None:
    assert "exit 3" not in bundler("check", "-q", "no.yaml", cwd=tmp_path, BUNDLER_VERBOSE="1").stderr
    assert "exit 3" in bundler("check", "-v", "no.yaml", cwd=tmp_path, BUNDLER_QUIET="1").stderr
    assert "exit 3" in bundler("check", "no.yaml", cwd=tmp_path, BUNDLER_VERBOSE="1").stderr


def test_what_stands_behind_a_command_wins_over_what_stands_before_it(tmp_path: Path) -> None:
    bundler("--log-file", "one", "check", "no.yaml", "--log-file", "two", cwd=tmp_path)
    assert "exit 3" in (tmp_path / "two").read_text()
    assert (tmp_path / "one").read_text() == ""


def test_a_log_file_has_what_verbose_shows_and_no_escapes(tmp_path: Path) -> None:
    done = bundler("-q", "--color", "always", "check", "no.yaml", "--log-file", "log", cwd=tmp_path)
    assert "\x1b[" in done.stderr
    lines = [line.partition(" ")[2] for line in (tmp_path / "log").read_text().splitlines()]
    assert lines[0].startswith("bundler check, version ")
    assert lines[1].startswith("error: no.yaml: ")
    assert lines[-1].startswith("bundler: exit 3 after ")
    assert "\x1b" not in (tmp_path / "log").read_text()


def test_a_usage_error_stands_in_the_log_file_too(tmp_path: Path) -> None:
    bundler("--log-file", "log", "chekc", cwd=tmp_path)
    assert "Did you mean `bundler check`?" in (tmp_path / "log").read_text()


def test_a_log_file_that_cannot_be_opened_is_an_error_of_its_own(tmp_path: Path) -> None:
    done = bundler("check", "no.yaml", "--log-file", "no/log", "--json", cwd=tmp_path)
    answer = json.loads(done.stdout)
    assert (answer["id"], answer["where"], answer["code"]) == ("storage-unusable", "no/log", done.returncode)


@pytest.mark.parametrize(
    ("words", "environment", "colored"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        (("--color", "never"), {}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
    ],
)
def test_a_terminal_gets_colours(
    words: tuple[str, ...], environment: dict[str, str], colored: bool, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    surroundings = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM")}
    with subprocess.Popen(
        [sys.executable, "-m", "bundler", "check", "no.yaml", *words],
        stderr=theirs,
        cwd=tmp_path,
        env={**surroundings, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    ):
        os.close(theirs)
        shown = b""
        # a terminal whose program has ended is an error, not an end of file
        with suppress(OSError):
            while piece := os.read(ours, 4096):
                shown += piece
    os.close(ours)
    assert (b"\x1b[31m" in shown) is colored
    assert b"error:" in shown


def lines_with(capsys: pytest.CaptureFixture[str], settings: DiagnosticSettings, *, as_json: bool = False) -> list[str]:
    """Return what is shown on stderr of lines of every kind, and of an item of a hundred bytes."""

    def command() -> None:
        DIAGNOSTICS.configure(settings)
        console.detail("a detail")
        console.remark("a remark")
        console.warn("a warning")
        with console.progress(quiet=as_json) as progress:
            progress.expect(100)
            task = progress.task("item", 100)
            task.advance(100)
            task.note("a note")
            task.finish()
            progress.task("other", None).finish("failed: refused")
        console.say("the answer")

    assert console.run(command, program="bundler") == 0
    out, err = capsys.readouterr()
    assert out == "the answer\n"
    return [line for line in err.splitlines() if not line.startswith("bundler: exit 0")]


REMARKS = ["a remark", "warning: a warning"]
ITEMS = ["100 B to go", "item: a note", "item: done, 100 B", "other: failed: refused"]


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        (DiagnosticSettings(), [*REMARKS, *ITEMS]),
        (DiagnosticSettings(verbose=True), ["a detail", *REMARKS, *ITEMS]),
        (DiagnosticSettings(quiet=True), []),
        (DiagnosticSettings(no_progress=True), [*REMARKS, "item: a note", "other: failed: refused"]),
    ],
)
def test_what_is_left_out_and_let_in(
    settings: DiagnosticSettings, shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert lines_with(capsys, settings) == shown


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("quiet", [False, True])
def test_a_log_file_has_everything_once(
    as_json: bool, quiet: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines_with(capsys, DiagnosticSettings(quiet=quiet, log_file=tmp_path / "log"), as_json=as_json)
    kept = [line.partition(" ")[2] for line in (tmp_path / "log").read_text().splitlines()]
    assert kept[:-1] == ["a detail", *REMARKS, *ITEMS]
    assert kept[-1].startswith("bundler: exit 0 after ")


def test_help_explains_them_once(tmp_path: Path) -> None:
    assert "--log-file FILE" in bundler("--help", cwd=tmp_path).stdout
    said = bundler("store", "info", "--help", cwd=tmp_path).stdout
    assert "BUNDLER_LOG_FILE" not in said
    assert "`bundler --help` explains them" in " ".join(said.split())
