"""Edits of others' files: what they show, when they are refused, and what comes back when they are undone."""

from __future__ import annotations

import hashlib
import posixpath

import pytest

from bundler.errors import SiteError
from bundler.host.apply import read_journal, undo_all
from bundler.host.changes import Await, RunCommand
from bundler.host.failure import ChangeFailedError, Reason
from bundler.host.file_changes import CannotEditError, CopyFile, EditFile, WriteFile
from bundler.host.interface import CommandResult, FileOwner
from bundler.host.undo import original_path
from tests.fakes.host import MemoryHost
from tests.unit.host.installers import INSTALLER, JOURNAL, applied

FILE = "/etc/app/config"


def with_line(line: bytes) -> EditFile:
    """Return an edit that adds a line once, and refuses a file that holds "no"."""

    def edit(there: bytes | None) -> bytes | None:
        if there is not None and b"no" in there:
            raise CannotEditError("it says no", "Ask it again.")
        lines = (there or b"").splitlines(keepends=True)
        return b"".join(lines if line in lines else [*lines, line])

    return EditFile(FILE, edit, ("adds a line",))


ONE, TWO = with_line(b"one\n"), with_line(b"two\n")


def undone(host: MemoryHost) -> list[str]:
    said: list[str] = []
    assert undo_all(host, INSTALLER, said.append)
    return said


def test_an_edit_shows_the_difference_and_without_a_file_what_it_is_for() -> None:
    host = MemoryHost({FILE: b"a\nb\nc\n"})
    assert ONE.describe(host).split("\n") == [f"edit {FILE}", "    @@ -2,2 +2,3 @@", "     b", "     c", "    +one"]
    assert ONE.describe(MemoryHost()) == f"edit {FILE}\n    adds a line"
    assert EditFile(FILE, ONE.edit, ("hidden",), secret=True).describe(host) == f"edit {FILE}\n    hidden"
    refused = ONE.describe(MemoryHost({FILE: b"no\n"}))
    assert refused == f"edit {FILE}\n    cannot be edited: it says no\n    adds a line"


def test_what_was_there_comes_back_byte_by_byte_with_mode_and_owner() -> None:
    host = MemoryHost({FILE: b"a\n"}, modes={FILE: 0o640}, owners={FILE: FileOwner(7, 8)})
    applied(host, [ONE])
    applied(host, [ONE, TWO])
    assert host.files[FILE] == b"a\none\ntwo\n"
    assert undone(host) == [f"restore {FILE}"]
    assert host.files == {FILE: b"a\n"}
    assert (host.modes[FILE], host.owners[FILE]) == (0o640, FileOwner(7, 8))


def test_a_file_that_was_not_there_goes_with_the_directories_made_for_it() -> None:
    host = MemoryHost({"/etc/hosts": b""})
    applied(host, [ONE])
    applied(host, [ONE])
    undone(host)
    assert host.files == {"/etc/hosts": b""}


def test_what_somebody_changed_since_is_shown_and_stays_unless_forced() -> None:
    host = MemoryHost({FILE: b"a\n"})
    applied(host, [ONE])
    host.files[FILE] = b"a\ntheirs\n"
    with pytest.raises(SiteError, match="was changed by somebody else") as raised:
        applied(host, [ONE])
    assert raised.value.where == FILE
    assert host.files[FILE] == b"a\ntheirs\n"
    # their change beside ours needs no edit
    host.files[FILE] = b"a\none\ntheirs\n"
    assert applied(host, [ONE]) == []
    kept = original_path(JOURNAL, hashlib.sha256(b"a\n").hexdigest())
    stays = f"{FILE} was changed since it was installed and stays; what was there before lies in {kept}"
    assert undone(host) == [f"restore {FILE}", stays]
    assert host.files == {FILE: b"a\none\ntheirs\n", kept: b"a\n"}


def test_what_a_program_of_others_writes_anew_counts_as_ours() -> None:
    host = MemoryHost({FILE: b"a\n"})

    def rewrite(it: MemoryHost) -> CommandResult:
        it.files[FILE] = b"new\n"
        return CommandResult(0, "", "")

    host.answers["keadm", "init"] = rewrite
    applied(host, [ONE])
    init = RunCommand(("keadm", "init"), rewrites=(FILE,))
    applied(host, [init, ONE])
    assert host.files[FILE] == b"new\none\n"
    assert undone(host) == [f"restore {FILE}"]
    assert host.files == {FILE: b"a\n"}


def test_an_edit_that_cannot_be_made_says_why_and_what_to_do() -> None:
    host = MemoryHost({FILE: b"no\n"})
    with pytest.raises(ChangeFailedError) as raised:
        ONE.apply(host, ours=(), force=False)
    failure = raised.value.failure
    assert (failure.reason, failure.what, failure.remedy) == (Reason.FILE_TAKEN, "it says no", "Ask it again.")
    assert not ONE.is_done(host)
    with pytest.raises(SiteError, match="it says no"):
        applied(host, [ONE])
    assert host.files[FILE] == b"no\n"


def test_a_mode_alone_is_a_change_as_well() -> None:
    host = MemoryHost({FILE: b"one\n"}, modes={FILE: 0o644})
    change = EditFile(FILE, ONE.edit, mode=0o600)
    assert not change.is_done(host)
    applied(host, [change])
    assert host.modes[FILE] == 0o600
    assert change.is_done(host)


def test_a_copy_is_looked_at() -> None:
    digest = hashlib.sha256(b"program").hexdigest()
    host = MemoryHost({"/opt/keadm": b"program", "/usr/local/bin/keadm": b"older"})
    change = CopyFile("/opt/keadm", "/usr/local/bin/keadm", digest, 0o755)
    applied(host, [change])
    assert (host.files[change.path], host.modes[change.path]) == (b"program", 0o755)
    assert applied(host, [change]) == []
    host.files["/opt/keadm"] = b"tampered"
    newer = CopyFile(change.source, change.path, "0" * 64, 0o755)
    with pytest.raises(SiteError, match="is not what the bundle lists"):
        applied(host, [newer])
    assert host.files[change.path] == b"program"


def test_what_changes_while_it_is_copied_does_not_stay() -> None:
    class Changing(MemoryHost):
        def copy(self, source: str, path: str, mode: int) -> None:
            self.files[source] = b"tampered"
            MemoryHost.copy(self, source, path, mode)

    host = Changing({"/opt/keadm": b"program"})
    change = CopyFile("/opt/keadm", "/usr/local/bin/keadm", host.digest("/opt/keadm"))
    with pytest.raises(SiteError, match="is not what the bundle lists"):
        applied(host, [change])
    assert change.path not in host.files


def test_an_original_that_is_damaged_is_not_put_back() -> None:
    host = MemoryHost({FILE: b"a\n"})
    applied(host, [ONE])
    (kept,) = (path for path in host.files if posixpath.dirname(path) == posixpath.dirname(original_path(JOURNAL, "")))
    host.files[kept] = b"rotten"
    with pytest.raises(SiteError, match="gone or damaged") as raised:
        undo_all(host, INSTALLER, print)
    assert raised.value.where == kept
    assert read_journal(host, INSTALLER) is not None


def test_a_secret_is_never_shown() -> None:
    change = WriteFile(FILE, b"secret", 0o600, secret=True)
    assert "secret" not in change.describe(MemoryHost())
    host = MemoryHost({FILE: b"other"})
    with pytest.raises(ChangeFailedError) as raised:
        change.apply(host, ours=(), force=False)
    assert raised.value.failure.lines == ()


def test_waiting_ends_when_it_is_true_or_when_patience_does() -> None:
    def opens_at(moment: float) -> MemoryHost:
        host = MemoryHost()
        begin = host.time
        host.pauses = lambda it: it.ports.add(("127.0.0.1", 10000)) if it.time - begin >= moment else None
        return host

    def lacking(host: MemoryHost) -> str:
        return "" if host.listens("127.0.0.1", 10000) else "nobody listens on 10000"

    change = Await("wait for cloudcore", lacking, 30, remedy="Read its log.", evidence=lambda _: ("last words",))  # type: ignore[arg-type]
    host = opens_at(9.5)
    applied(host, [change])
    assert 9.5 <= host.time - MemoryHost().time < 11
    assert applied(host, [change]) == []
    with pytest.raises(ChangeFailedError) as raised:
        change.apply(opens_at(99), ours=(), force=False)
    failure = raised.value.failure
    assert (failure.reason, failure.what) == (Reason.NOT_YET, "after 30 s: nobody listens on 10000")
    assert (failure.remedy, failure.lines) == ("Read its log.", ("last words",))
    assert change.describe(host) == "wait for cloudcore, for at most 30 s"


def test_what_stays_is_said_when_the_rest_is_undone() -> None:
    host = MemoryHost()
    change = RunCommand(("yum", "install", "x"), stays="x stays installed: yum remove x")
    applied(host, [change])
    assert undone(host) == ["leave as it is: x stays installed: yum remove x"]
