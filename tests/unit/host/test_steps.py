"""What a step says of itself, and when it is done."""

from __future__ import annotations

import pytest

from bundler.host.failure import Reason, StepFailedError, StepFailure
from bundler.host.interface import CommandResult
from bundler.host.journal import Record
from bundler.host.steps import KeepLines, RunCommand, Step, WriteFile, must, undo
from tests.fakes.host import MemoryHost
from tests.unit.host.installers import MARKS

FILE = WriteFile("/etc/unit", b"[Unit]\n\nA=b\n")
LINES = KeepLines("/etc/hosts", ("192.0.2.1 master",), MARKS)
COMMAND = RunCommand(("touch", "a b"), undo=("rm", "a b"), check=("test", "-e", "a b"))
AT_REMOVAL = RunCommand((), undo=("systemctl", "daemon-reload"))


@pytest.mark.parametrize(
    ("step", "lines"),
    [
        (FILE, ["write /etc/unit", "    [Unit]", "", "    A=b"]),
        (LINES, ["add to /etc/hosts, at its end", "    192.0.2.1 master"]),
        (COMMAND, ["touch 'a b'    # unless this succeeds: test -e 'a b'"]),
        (RunCommand(("sync",)), ["sync"]),
        (AT_REMOVAL, ["at removal: systemctl daemon-reload"]),
    ],
)
def test_a_description_begins_with_the_title(step: Step, lines: list[str]) -> None:
    assert step.describe().split("\n") == lines
    assert lines[0].startswith(step.title)
    assert "\n" not in step.title


@pytest.mark.parametrize(
    ("step", "record"),
    [
        (LINES, Record(file="/etc/hosts")),
        (COMMAND, Record(undo=("rm", "a b"), check=("test", "-e", "a b"))),
        (RunCommand(("fill",), undo=("empty",), there=("has",)), Record(undo=("empty",), check=("has",))),
        (RunCommand(("sync",)), None),
    ],
)
def test_how_it_is_undone(step: Step, record: Record | None) -> None:
    assert step.record == record


def test_lines_keep_the_mode_of_their_file_unless_they_want_another() -> None:
    for mode, expected in ((None, 0o640), (0o600, 0o600)):
        host = MemoryHost({LINES.path: b""}, modes={LINES.path: 0o640})
        step = KeepLines(LINES.path, LINES.lines, MARKS, mode=mode)
        assert not step.is_done(host)
        step.apply(host, ours=())
        assert step.is_done(host)
        assert host.modes[LINES.path] == expected


def test_lines_make_no_file() -> None:
    host = MemoryHost()
    LINES.apply(host, ours=())
    assert host.files == {}


@pytest.mark.parametrize(
    ("result", "what"),
    [
        (CommandResult(1, "out\n", "one\ntwo\n"), "exit 1: two"),
        (CommandResult(2, "only out\n", ""), "exit 2: only out"),
        (CommandResult(127, "", ""), "exit 127"),
    ],
)
def test_a_command_that_fails(result: CommandResult, what: str) -> None:
    with pytest.raises(StepFailedError, match=what) as raised:
        must(MemoryHost(failing={("touch", "a b"): result}), ("touch", "a b"))
    assert raised.value.failure == StepFailure(Reason.COMMAND_FAILED, what, where="touch 'a b'")


def test_undoing_asks_first_whether_there_is_anything_to_undo() -> None:
    host = MemoryHost()
    host.learn([COMMAND])
    assert COMMAND.record is not None
    undo(host, COMMAND.record, ours=(), marks=MARKS)
    assert host.ran == []
    COMMAND.apply(host, ours=())
    undo(host, COMMAND.record, ours=(), marks=MARKS)
    assert host.ran == ["touch a b", "rm a b"]


def test_a_unit_that_is_not_loaded_needs_no_stopping() -> None:
    for program, tolerated in (("systemctl", True), ("other", False)):
        host = MemoryHost(failing={(program, "stop", "x"): CommandResult(5, "", "not loaded")})
        record = Record(undo=(program, "stop", "x"))
        if tolerated:
            assert undo(host, record, ours=(), marks=MARKS) == ""
        else:
            with pytest.raises(StepFailedError):
                undo(host, record, ours=(), marks=MARKS)
