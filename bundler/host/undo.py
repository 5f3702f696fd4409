"""Take away what a record says: the command's undoing, our lines, our file; what was there before comes back."""

from __future__ import annotations

import hashlib
import posixpath
import shlex
from typing import TYPE_CHECKING

from bundler.host.changes import failed_command, must
from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.marked_lines import without_block
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection

    from bundler.host.interface import Host
    from bundler.host.journal import Original, Record
    from bundler.host.marked_lines import Marks

# what systemctl says of a unit that is not loaded, in section "Exit status" of its manual
_NO_SUCH_UNIT = 5
# of firewall-cmd(1), NOT_RUNNING: it neither knows nor changes what is permanent then
_FIREWALL_STOPPED = 252
_WHEN_IT_ANSWERS = tr("Have it answer, then undo again: what cannot be looked at is kept in the journal.")


def original_path(journal: str, sha256: str) -> str:
    """Return where the copy of a file lies that was there before, beside the journal."""
    return posixpath.join(posixpath.dirname(journal), "originals", sha256)


def undo(host: Host, record: Record, *, ours: Collection[str], marks: Marks, journal: str, force: bool = False) -> str:
    """Take away what a record says; what is gone already is no problem. Returns a note for a person, or "".

    Arguments:
        ours: as for `Change.apply`; an interruption leaves the old content or the new one.
        marks: what stands around lines of ours in files that are not.
        journal: beside which the originals lie.
        force: put back what was there before, whatever somebody else has made of it since.

    Raises ChangeFailedError, StorageError.
    """
    if record.undo:
        return _undo_command(host, record)
    if not record.file:
        # its line has said so
        return ""
    there = host.read(record.file)
    try:
        original = _original(host, record.original, journal)
    except ChangeFailedError as error:
        if not force:
            raise
        return tr("{file} stays: {where} {what}", file=record.file, where=error.failure.where, what=error.failure.what)
    if original is not None and not record.sha256 and not record.block:
        return _undo_setting_aside(host, record, original)
    if there is None:
        return (
            ""
            if original is None
            else tr("{file} is gone; what was there before lies in {original}", file=record.file, original=original)
        )
    if force or hashlib.sha256(there).hexdigest() in ours or there == _content(host, original):
        _restore(host, record, original)
        return ""
    if record.block or (not record.sha256 and marks.begin.encode() in there):
        host.write(record.file, without_block(there, marks))
        return ""
    kept = tr("; what was there before lies in {original}", original=original) if original else ""
    return tr("{file} was changed since it was installed and stays{kept}", file=record.file, kept=kept)


def _undo_setting_aside(host: Host, record: Record, original: str) -> str:
    if host.exists(record.file):
        return tr(
            "there is a new {file}, which stays; the one from before lies in {original}",
            file=record.file,
            original=original,
        )
    _restore(host, record, original)
    return ""


def _undo_command(host: Host, record: Record) -> str:
    if record.answers and (asked := host.run(record.answers)).code != 0:
        # what cannot be asked is neither there nor gone: it is not forgotten
        failure = failed_command(record.answers, asked, remedy=_WHEN_IT_ANSWERS)
        raise ChangeFailedError(failure)
    checked = host.run(record.check).code if record.check else 0
    if checked == _FIREWALL_STOPPED and record.undo[:2] == ("firewall-cmd", "--permanent"):
        return tr(
            "firewalld does not run; when it does again, this is left to do: {undo}", undo=shlex.join(record.undo)
        )
    if checked == 0:
        must(host, record.undo, tolerated=_NO_SUCH_UNIT if record.undo[0] == "systemctl" else 0)
    return record.stays


def _original(host: Host, original: Original | None, journal: str) -> str | None:
    if original is None:
        return None
    path = original_path(journal, original.sha256)
    if host.digest(path) != original.sha256:
        what = tr("held what was there before, and is gone or damaged")
        remedy = tr("Bring it back from a backup, or undo with --force, which leaves that file as it is.")
        raise ChangeFailedError(ChangeFailure(Reason.FILE_TAKEN, what, where=path, remedy=remedy))
    return path


def _content(host: Host, original: str | None) -> bytes | None:
    return None if original is None else host.read(original)


def _restore(host: Host, record: Record, original: str | None) -> None:
    content = _content(host, original)
    if content is not None and record.original is not None:
        host.write(record.file, content, record.original.mode, record.original.owner)
        return
    if record.block:
        # the file was there, and whoever made the record kept no copy of it
        return
    host.remove(host.resolved(record.file))
    for directory in reversed(record.directories):
        host.remove_directory(directory)
