"""Applying and undoing on a host in memory: recorded before it is done, undone in reverse, nothing else touched."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import BundleFormatError, ErrorId, SiteError
from bundler.host.apply import read_journal, undo_all, undo_lines
from bundler.host.changes import RunCommand
from bundler.host.file_changes import KeepLines, WriteFile
from bundler.host.interface import CommandResult
from bundler.host.undo import original_path
from tests.fakes.host import MemoryHost
from tests.unit.host.installers import HEAD, INSTALLER, JOURNAL, MARKS, applied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.interface import FileOwner

UNIT, HOSTS = "/etc/unit", "/etc/hosts"
FIRST = RunCommand(("make", "one"), undo=("drop", "one"), check=("has", "one"))
FILE = WriteFile(UNIT, b"ours\n")
OTHER = WriteFile(UNIT, b"ours, changed\n")
LINES = KeepLines(HOSTS, ("192.0.2.1 master",), MARKS)
START = RunCommand(("start", "it"), undo=("stop", "it"))
STEPS = (FIRST, FILE, LINES, START)


def made(host: MemoryHost) -> list[str]:
    """Return what undoing would do, by the journal."""
    journal = read_journal(host, INSTALLER)
    assert journal is not None
    return undo_lines(journal)


def undone(host: MemoryHost) -> list[str]:
    said: list[str] = []
    assert undo_all(host, INSTALLER, said.append)
    return said


def test_what_is_undone_is_what_was_made_last_first() -> None:
    before = b"127.0.0.1 localhost"
    host = MemoryHost({HOSTS: before}, modes={HOSTS: 0o640})
    assert applied(host, STEPS) == ["make one", f"write {UNIT}", f"add to {HOSTS}, at its end", "start it"]
    assert host.files[HOSTS] == b"127.0.0.1 localhost\n# test: begin\n192.0.2.1 master\n# test: end\n"
    kept = original_path(JOURNAL, hashlib.sha256(before).hexdigest())
    assert host.modes == {HOSTS: 0o640, UNIT: 0o644, JOURNAL: 0o600, kept: 0o600}
    expected = ["stop it", f"take the lines out of {HOSTS}", f"remove {UNIT}", "drop one"]
    assert made(host) == expected
    assert undone(host) == expected
    # also the line feed that its last line lacked
    assert host.files == {HOSTS: before}
    assert host.ran == ["make one", "start it", "stop it", "drop one"]
    assert not undo_all(host, INSTALLER, print)


def test_the_same_again_runs_what_cannot_be_checked_and_nothing_else() -> None:
    host = MemoryHost({HOSTS: b""})
    applied(host, STEPS)
    files = dict(host.files)
    assert applied(host, STEPS) == ["start it"]
    assert host.files == files


def test_a_step_that_is_not_wanted_any_more_is_undone_first() -> None:
    host = MemoryHost({HOSTS: b""})
    applied(host, STEPS)
    assert applied(host, (FILE, START)) == [f"take the lines out of {HOSTS}", "drop one", "start it"]
    assert made(host) == ["stop it", f"remove {UNIT}"]


def test_what_was_undone_first_is_forgotten_before_the_next_is() -> None:
    host = MemoryHost({HOSTS: b""})
    applied(host, STEPS)
    host.failing["drop", "one"] = CommandResult(1, "", "")
    with pytest.raises(SiteError) as raised:
        applied(host, (FILE, START))
    assert raised.value.step == "drop one"
    assert made(host) == ["stop it", f"remove {UNIT}", "drop one"]


def test_a_failing_step_in_the_middle_is_named_and_stops_the_rest() -> None:
    host = MemoryHost({HOSTS: b""}, failing={("make", "one"): CommandResult(3, "", "first\nno room\n")})
    with pytest.raises(SiteError) as raised:
        applied(host, (FILE, FIRST, LINES))
    error = raised.value
    assert (error.step, error.where, error.what, error.exit_code) == ("make one", "make one", "exit 3: no room", 9)
    assert error.remedy == "COMMAND_FAILED."
    assert host.files[HOSTS] == b""
    # the failing one too: nobody knows how far it came
    assert made(host) == ["drop one", f"remove {UNIT}"]
    host.failing.clear()
    assert applied(host, (FILE, FIRST, LINES)) == ["make one", f"add to {HOSTS}, at its end"]
    assert made(host) == [f"take the lines out of {HOSTS}", "drop one", f"remove {UNIT}"]


def test_a_failing_step_is_undone_with_those_before_it() -> None:
    host = MemoryHost(failing={("start", "it"): CommandResult(1, "", "")})
    with pytest.raises(SiteError, match="exit 1"):
        applied(host, (FIRST, FILE, START))
    undone(host)
    assert (host.files, host.succeeding) == ({}, set())


def test_what_cannot_be_undone_is_named_and_stays_in_the_journal() -> None:
    host = MemoryHost()
    applied(host, (FILE, START))
    host.failing["stop", "it"] = CommandResult(1, "busy\n", "")
    with pytest.raises(SiteError) as raised:
        undo_all(host, INSTALLER, lambda _: None)
    assert (raised.value.step, raised.value.what) == ("stop it", "exit 1: busy")
    assert made(host) == ["stop it", f"remove {UNIT}"]
    host.failing.clear()
    assert undone(host) == ["stop it", f"remove {UNIT}"]


def test_every_step_is_in_the_journal_before_it_is_taken() -> None:
    class Watched(MemoryHost):
        def run(self, command: Sequence[str], **how: Any) -> CommandResult:
            if tuple(command) in (FIRST.command, START.command):
                seen.append(made(self)[0])
            return MemoryHost.run(self, command, **how)

        def write(self, path: str, data: bytes, mode: int | None = None, owner: FileOwner | None = None) -> None:
            if path in (UNIT, HOSTS):
                seen.append(made(self)[0])
            MemoryHost.write(self, path, data, mode, owner)

    seen: list[str] = []
    applied(Watched({HOSTS: b""}), STEPS)
    assert seen == ["drop one", f"remove {UNIT}", f"take the lines out of {HOSTS}", "stop it"]


def test_a_file_of_somebody_else_is_neither_replaced_nor_removed() -> None:
    host = MemoryHost({UNIT: b"theirs"})
    for _ in range(2):
        with pytest.raises(SiteError, match="exists already") as raised:
            applied(host, (FILE,))
        assert (raised.value.id, raised.value.step) == (ErrorId.SERVICE_FAILED, f"write {UNIT}")
        assert raised.value.remedy == "FILE_TAKEN."
        assert host.files[UNIT] == b"theirs"
    undone(host)
    assert host.files == {UNIT: b"theirs"}


def test_a_file_that_was_changed_since_stays_and_is_named() -> None:
    host = MemoryHost()
    applied(host, (FILE,))
    host.files[UNIT] += b"# mine\n"
    assert undone(host) == [f"remove {UNIT}", f"{UNIT} was changed since it was installed and stays"]
    assert host.files == {UNIT: b"ours\n# mine\n"}


def test_somebody_s_own_changes_are_not_replaced() -> None:
    host = MemoryHost()
    applied(host, (FILE,))
    host.files[UNIT] += b"# mine\n"
    with pytest.raises(SiteError, match="exists already"):
        applied(host, (OTHER,))
    assert host.files[UNIT].endswith(b"# mine\n")


class _PowerFailureError(Exception):
    """Whatever ends the process between two steps."""


class _FragileHost(MemoryHost):
    """A host that dies before or after a file is replaced."""

    dies = ""

    def write(self, path: str, data: bytes, mode: int | None = None, owner: FileOwner | None = None) -> None:
        if path == UNIT and self.dies == "before":
            raise _PowerFailureError
        MemoryHost.write(self, path, data, mode, owner)
        if path == UNIT and self.dies == "after":
            raise _PowerFailureError


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_was_interrupted_while_it_changed_is_undone_in_reverse(moment: str) -> None:
    host = _FragileHost()
    applied(host, (FIRST, FILE, START))
    host.dies = moment
    with pytest.raises(_PowerFailureError):
        applied(host, (FIRST, OTHER, START))
    assert undone(host) == ["stop it", f"remove {UNIT}", "drop one"]
    assert (host.files, host.succeeding) == ({}, set())


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_was_interrupted_is_finished_by_the_same_steps(moment: str) -> None:
    host = _FragileHost()
    applied(host, (FIRST, FILE, START))
    host.dies = moment
    with pytest.raises(_PowerFailureError):
        applied(host, (FIRST, OTHER, START))
    host.dies = ""
    applied(host, (FIRST, OTHER, START))
    assert host.files[UNIT] == OTHER.content
    assert made(host).count(f"remove {UNIT}") == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_what_was_interrupted_and_is_not_wanted_any_more_is_nobody_else_s(moment: str) -> None:
    host = _FragileHost()
    applied(host, (FIRST, FILE, START))
    host.dies = moment
    with pytest.raises(_PowerFailureError):
        applied(host, (FIRST, OTHER, START))
    host.dies = ""
    assert applied(host, (FIRST,)) == ["stop it", f"remove {UNIT}"]
    assert (sorted(host.files), made(host)) == ([JOURNAL], ["drop one"])


def test_only_root_changes_a_host() -> None:
    for act in (lambda host: applied(host, STEPS), lambda host: undo_all(host, INSTALLER, print)):
        with pytest.raises(SiteError, match="only root") as raised:
            act(MemoryHost(root=False))
        assert (raised.value.step, raised.value.remedy) == ("", "NOT_ROOT.")


@pytest.mark.parametrize("data", [b"{}", b"[]", b"no json", b'{"format": 1, "made": 3}', b'{"format": 0, "made": []}'])
def test_a_journal_that_cannot_be_read(data: bytes) -> None:
    host = MemoryHost({JOURNAL: data})
    for act in (lambda: applied(host, STEPS), lambda: undo_all(host, INSTALLER, print)):
        with pytest.raises(SiteError, match="cannot be read") as raised:
            act()
        assert (raised.value.where, raised.value.remedy) == (JOURNAL, "JOURNAL_UNREADABLE.")
    assert host.files == {JOURNAL: data}


def test_a_journal_of_a_higher_format_is_left_alone() -> None:
    host = MemoryHost({JOURNAL: b'{"format": 2, "made": []}'})
    with pytest.raises(BundleFormatError, match="is a test's journal of format 2"):
        undo_all(host, INSTALLER, print)
    assert JOURNAL in host.files


def test_the_head_survives_an_undoing_that_stops_on_its_way() -> None:
    head = {**HEAD, "later": {"deep": [1]}}
    host = MemoryHost()
    applied(host, (FIRST, FILE, START), head)
    host.failing["drop", "one"] = CommandResult(1, "", "")
    with pytest.raises(SiteError):
        undo_all(host, INSTALLER, lambda _: None)
    journal = read_journal(host, INSTALLER)
    assert journal is not None
    assert journal.head == head
    # what was undone is forgotten at once
    assert undo_lines(journal) == ["drop one"]
    host.failing.clear()
    assert undone(host) == ["drop one"]
