"""What somebody else has made of a file is never lost: it is not replaced unasked, and kept where that is forced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import SiteError
from bundler.host.apply import apply_changes, read_journal, undo_records
from bundler.host.file_changes import CopyFile, EditFile, KeepLines, WriteFile
from bundler.host.local_host import LocalHost
from tests.fakes.host import MemoryHost
from tests.unit.host.installers import HEAD, INSTALLER, MARKS, applied

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.host.changes import Change
    from bundler.host.interface import FileOwner

FILE, SOURCE = "/etc/program", "/opt/program"
OURS, THEIRS, BEFORE = b"ours", b"theirs", b"before"
COPY = CopyFile(SOURCE, FILE, MemoryHost({SOURCE: OURS}).digest(SOURCE))
EDIT = EditFile(FILE, lambda _: OURS)
WRITE = WriteFile(FILE, OURS)
LINES = KeepLines(FILE, ("ours",), MARKS)


def fresh() -> MemoryHost:
    return MemoryHost({SOURCE: OURS, FILE: BEFORE})


def forced(host: MemoryHost, *changes: Change) -> list[str]:
    said: list[str] = []
    apply_changes(host, changes, INSTALLER, HEAD, said.append, force=True)
    return said


def undone(host: MemoryHost, *, force: bool) -> list[str]:
    journal = read_journal(host, INSTALLER)
    assert journal is not None
    said: list[str] = []
    undo_records(host, INSTALLER, journal, journal.made, said.append, force=force)
    return said


def test_a_copy_that_somebody_has_changed_since_stays() -> None:
    host = fresh()
    applied(host, (COPY,))
    host.files[FILE] = THEIRS
    with pytest.raises(SiteError, match="was changed by somebody else since it was copied here"):
        applied(host, (COPY,))
    assert host.files[FILE] == THEIRS


def test_a_newer_copy_takes_the_place_of_an_older_one_and_of_none() -> None:
    host = fresh()
    applied(host, (COPY,))
    host.files[SOURCE] = b"newer"
    applied(host, (CopyFile(SOURCE, FILE, host.digest(SOURCE)),))
    assert host.files[FILE] == b"newer"
    del host.files[FILE]
    applied(host, (CopyFile(SOURCE, FILE, host.digest(SOURCE)),))
    assert host.files[FILE] == b"newer"


@pytest.mark.parametrize("change", [COPY, EDIT])
def test_what_was_interrupted_before_it_replaced_a_file_is_done_the_next_time(change: Change) -> None:
    class Full(MemoryHost):
        def write(self, path: str, data: bytes, mode: int | None = None, owner: FileOwner | None = None) -> None:
            if path == FILE:
                raise OSError
            MemoryHost.write(self, path, data, mode, owner)

        def copy(self, source: str, path: str, mode: int) -> None:
            if path == FILE:
                raise OSError
            MemoryHost.copy(self, source, path, mode)

    full = Full({SOURCE: OURS, FILE: BEFORE})
    with pytest.raises(OSError):  # noqa: PT011 - that it stands
        applied(full, (change,))
    host = MemoryHost(full.files, full.modes)
    applied(host, (change,))
    assert host.files[FILE] == OURS
    undone(host, force=False)
    assert host.files[FILE] == BEFORE


@pytest.mark.parametrize("change", [COPY, EDIT, WRITE])
def test_what_is_replaced_by_force_is_kept(change: Change) -> None:
    host = MemoryHost({SOURCE: OURS})
    applied(host, (change,))
    host.files[FILE] = THEIRS
    said = forced(host, change)
    assert host.files[FILE] == OURS
    kept = said[-1].rpartition(" ")[2]
    assert host.files[kept] == THEIRS


@pytest.mark.parametrize("change", [EDIT, LINES])
def test_what_undoing_replaces_by_force_is_kept(change: Change) -> None:
    host = fresh()
    applied(host, (change,))
    host.files[FILE] += THEIRS
    there = host.files[FILE]
    said = undone(host, force=True)
    assert host.files[FILE] == BEFORE
    assert host.files[said[-1].rpartition(" ")[2]] == there


def test_a_lost_original_stops_undoing_until_it_is_forced_past_it() -> None:
    host = fresh()
    applied(host, (EDIT,))
    for path in [path for path in host.files if "/originals/" in path]:
        del host.files[path]
    with pytest.raises(SiteError, match="is gone or damaged"):
        undone(host, force=False)
    assert any(f"{FILE} stays" in line for line in undone(host, force=True))
    assert host.files[FILE] == OURS


def test_a_link_stays_one_and_what_it_leads_to_comes_back(tmp_path: Path) -> None:
    target, link, state = tmp_path / "kept" / "daemon.json", tmp_path / "daemon.json", tmp_path / "state"
    target.parent.mkdir()
    target.write_bytes(BEFORE)
    target.chmod(0o640)
    link.symlink_to(target)

    class Root(LocalHost):
        def is_root(self) -> bool:
            return True

    host, at = Root(), INSTALLER.__class__(str(state / "journal.json"), "a journal", MARKS, INSTALLER.error)
    change = EditFile(str(link), lambda _: OURS, mode=0o600)
    apply_changes(host, (change,), at, HEAD, lambda _: None)
    assert (link.is_symlink(), target.read_bytes(), change.is_done(host)) == (True, OURS, True)
    journal = read_journal(host, at)
    assert journal is not None
    undo_records(host, at, journal, journal.made, lambda _: None)
    assert (link.is_symlink(), target.read_bytes(), target.stat().st_mode & 0o777) == (True, BEFORE, 0o640)
