"""What a change says of itself, and when it is done."""

from __future__ import annotations

import pytest

from bundler.host.changes import Change, RunCommand, must
from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.file_changes import KeepLines, WriteFile
from bundler.host.interface import CommandResult
from bundler.host.journal import Record
from bundler.host.undo import undo
from tests.fakes.host import MemoryHost
from tests.unit.host.installers import JOURNAL, MARKS

FILE = WriteFile("/etc/unit", b"[Unit]\n\nA=b\n")
LINES = KeepLines("/etc/hosts", ("192.0.2.1 master",), MARKS)
COMMAND = RunCommand(("touch", "a b"), undo=("rm", "a b"), check=("test", "-e", "a b"))
AT_REMOVAL = RunCommand((), undo=("systemctl", "daemon-reload"))


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (FILE, ["write /etc/unit", "    [Unit]", "", "    A=b"]),
        (LINES, ["add to /etc/hosts, at its end", "    192.0.2.1 master"]),
        (COMMAND, ["touch 'a b'    # unless this succeeds: test -e 'a b'"]),
        (RunCommand(("sync",)), ["sync"]),
        (AT_REMOVAL, ["remember for undo: systemctl daemon-reload"]),
    ],
)
def test_a_description_begins_with_the_title(change: Change, lines: list[str]) -> None:
    assert change.describe(MemoryHost()).split("\n") == lines
    assert lines[0].startswith(change.title)
    assert "\n" not in change.title


@pytest.mark.parametrize(
    ("change", "record"),
    [
        (LINES, Record(file="/etc/hosts", block=True)),
        (COMMAND, Record(undo=("rm", "a b"), check=("test", "-e", "a b"))),
        (RunCommand(("fill",), undo=("empty",), there=("has",)), Record(undo=("empty",), check=("has",))),
        (RunCommand(("sync",)), None),
    ],
)
def test_how_it_is_undone(change: Change, record: Record | None) -> None:
    assert change.record(MemoryHost()) == record


def test_lines_keep_the_mode_of_their_file_unless_they_want_another() -> None:
    for mode, expected in ((None, 0o640), (0o600, 0o600)):
        host = MemoryHost({LINES.path: b""}, modes={LINES.path: 0o640})
        change = KeepLines(LINES.path, LINES.lines, MARKS, mode=mode)
        assert not change.is_done(host)
        change.apply(host, ours=(), force=False)
        assert change.is_done(host)
        assert host.modes[LINES.path] == expected


def test_lines_make_no_file() -> None:
    host = MemoryHost()
    LINES.apply(host, ours=(), force=False)
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
    with pytest.raises(ChangeFailedError, match=what) as raised:
        must(MemoryHost(failing={("touch", "a b"): result}), ("touch", "a b"))
    assert raised.value.failure == ChangeFailure(Reason.COMMAND_FAILED, what, where="touch 'a b'")


def test_undoing_asks_first_whether_there_is_anything_to_undo() -> None:
    host = MemoryHost()
    host.learn([COMMAND])
    record = COMMAND.record(host)
    assert record is not None
    undo(host, record, ours=(), marks=MARKS, journal=JOURNAL)
    assert host.ran == []
    COMMAND.apply(host, ours=(), force=False)
    undo(host, record, ours=(), marks=MARKS, journal=JOURNAL)
    assert host.ran == ["touch a b", "rm a b"]


def test_a_unit_that_is_not_loaded_needs_no_stopping() -> None:
    for program, tolerated in (("systemctl", True), ("other", False)):
        host = MemoryHost(failing={(program, "stop", "x"): CommandResult(5, "", "not loaded")})
        record = Record(undo=(program, "stop", "x"))
        if tolerated:
            assert undo(host, record, ours=(), marks=MARKS, journal=JOURNAL) == ""
        else:
            with pytest.raises(ChangeFailedError):
                undo(host, record, ours=(), marks=MARKS, journal=JOURNAL)


def test_what_cannot_be_asked_is_not_taken_for_gone() -> None:
    record = Record(undo=("rm", "x"), check=("has", "x"), answers=("are", "you", "there"))
    host = MemoryHost()
    host.failing["are", "you", "there"] = CommandResult(1, "", "no\n")
    with pytest.raises(ChangeFailedError, match="exit 1: no") as raised:
        undo(host, record, ours=(), marks=MARKS, journal=JOURNAL)
    assert "kept in the journal" in raised.value.failure.remedy
    assert "rm x" not in host.ran
    host.failing.clear()
    undo(host, record, ours=(), marks=MARKS, journal=JOURNAL)
    assert host.ran[-1] == "rm x"
