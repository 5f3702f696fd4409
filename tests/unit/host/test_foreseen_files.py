"""Files that other programs write, or are not to find: recorded, adopted, undone to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import SiteError
from bundler.host.apply import apply_changes, read_journal, undo_all, undo_records
from bundler.host.changes import Await, RunCommand, Unless
from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.file_changes import EditFile
from bundler.host.foreseen_files import Foreseen, SetAside
from bundler.host.interface import CommandResult
from tests.fakes.host import MemoryHost
from tests.unit.host.installers import HEAD, INSTALLER, JOURNAL

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bundler.host.changes import Change
    from bundler.host.interface import Host

CONFIG = "/etc/program/config"


@dataclass(frozen=True, slots=True)
class Program:
    """Writes a file anew."""

    content: bytes
    reports: bool = True
    title: str = "run it"
    key: None = None

    def record(self, host: Host) -> None:
        del host

    def describe(self, host: Host) -> str:
        del host
        return self.title

    def is_done(self, host: Host) -> bool:
        return host.read(CONFIG) == self.content

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[str, ...]:
        del ours, force
        host.write(CONFIG, self.content)
        return (CONFIG,) if self.reports else ()


def apply(host: MemoryHost, step: str, *changes: Change) -> list[str]:
    lines: list[str] = []
    apply_changes(host, changes, INSTALLER, HEAD, lines.append, step=step)
    return lines


def undo_step(host: MemoryHost, step: str) -> list[str]:
    lines: list[str] = []
    journal = read_journal(host, INSTALLER)
    assert journal is not None
    undo_records(host, INSTALLER, journal, [one for one in journal.made if one.step == step], lines.append)
    return lines


def program(content: bytes, *, reports: bool = True) -> Sequence[Change]:
    run = Program(content, reports)
    return (Foreseen(CONFIG, run.is_done), run)


def edited(there: bytes | None) -> bytes:
    return (there or b"").replace(b"no", b"yes")


@pytest.mark.parametrize("reports", [True, False])
@pytest.mark.parametrize("before", [{}, {CONFIG: b"somebody's"}])
def test_what_a_program_wrote_goes_and_what_was_there_comes_back(before: dict[str, bytes], reports: bool) -> None:
    host = MemoryHost(dict(before))
    assert apply(host, "run", *program(b"no", reports=reports)) == ["run it"]
    assert apply(host, "run", *program(b"no", reports=reports)) == []
    undo_all(host, INSTALLER, lambda _: None)
    assert host.files == before


def test_an_edit_of_a_later_step_stands_on_what_the_program_wrote_last() -> None:
    host = MemoryHost()
    edit = EditFile(CONFIG, edited)
    apply(host, "run", *program(b"no 1"))
    apply(host, "edit", edit)
    apply(host, "run", *program(b"no 2"))
    assert apply(host, "edit", edit) == [f"edit {CONFIG}"]
    assert host.files[CONFIG] == b"yes 2"
    undo_step(host, "edit")
    assert host.files[CONFIG] == b"no 2"
    undo_step(host, "run")
    assert CONFIG not in host.files


def test_what_was_foreseen_and_nobody_wrote_down_is_left_to_the_byte() -> None:
    host = MemoryHost(failing={("it",): CommandResult(1, "", "it fails")})
    with pytest.raises(SiteError, match="it fails"):
        apply(host, "run", Foreseen(CONFIG, lambda _: False), RunCommand(("it",)))
    host.files[CONFIG] = b"cut off, without an end of line"
    undo_all(host, INSTALLER, lambda _: None)
    assert host.files == {CONFIG: b"cut off, without an end of line"}


def test_what_is_set_aside_comes_back_unless_there_is_a_new_one() -> None:
    host = MemoryHost({CONFIG: b"old"}, modes={CONFIG: 0o600})
    aside = SetAside(CONFIG, lambda _: False)
    assert apply(host, "aside", aside) == [f"set aside {CONFIG}"]
    assert CONFIG not in host.files
    assert apply(host, "aside", aside) == []
    undo_all(host, INSTALLER, lambda _: None)
    assert (host.files, host.modes[CONFIG]) == ({CONFIG: b"old"}, 0o600)
    apply(host, "aside", aside)
    host.files[CONFIG] = b"new"
    lines: list[str] = []
    undo_all(host, INSTALLER, lines.append)
    assert "there is a new /etc/program/config, which stays" in lines[-1]
    assert (host.files[CONFIG], JOURNAL in host.files) == (b"new", False)
    assert apply(host, "aside", SetAside(CONFIG, lambda _: True)) == []


def test_waiting_ends_early_when_it_is_hopeless() -> None:
    host = MemoryHost()
    failure = ChangeFailure(Reason.COMMAND_FAILED, "it is dead", remedy="Bury it.")
    begin = host.time
    with pytest.raises(ChangeFailedError, match="it is dead"):
        Await("wait", lambda _: "not there", 60.0, hopeless=lambda _: failure).apply(host, ours=(), force=False)
    assert host.time == begin


def test_a_change_is_not_made_where_something_else_holds() -> None:
    host = MemoryHost()
    change = RunCommand(("start", "it"), undo=("stop", "it"), check=("runs", "it"))
    host.learn([change])
    holds: Any = {"now": True}
    unless = Unless(change, lambda _: holds["now"])
    assert apply(host, "start", unless) == []
    holds["now"] = False
    assert (unless.describe(host), unless.key) == (change.describe(host), change.key)
    assert apply(host, "start", unless) == ["start it"]
