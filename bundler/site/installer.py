"""On whose behalf a site's hosts are changed: its journal, and the words of its failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SiteError
from bundler.host.apply import Installer, read_journal
from bundler.host.failure import ChangeFailure, Reason
from bundler.host.marked_lines import marks_of
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.host.interface import Host

STATE = "/var/lib/kubeedge-bundler"
MARKS = marks_of("bundler site")
_IDS = {
    Reason.NOT_ROOT: ErrorId.SITE_NOT_ROOT,
    Reason.FILE_TAKEN: ErrorId.SITE_FILE_CHANGED,
    Reason.COMMAND_FAILED: ErrorId.SITE_STEP_FAILED,
    Reason.NOT_YET: ErrorId.SITE_STEP_FAILED,
    Reason.JOURNAL_UNREADABLE: ErrorId.SITE_JOURNAL_UNREADABLE,
}
_REMEDIES = {
    Reason.NOT_ROOT: tr("Run it as root; `bundler site plan` needs no root."),
    Reason.FILE_TAKEN: tr("Look at the difference; --force replaces what is there, and keeps a copy."),
    Reason.COMMAND_FAILED: tr("Mend what it complains of, then run the same command again: it goes on from there."),
    Reason.NOT_YET: tr("Look at why it does not come up, then run the same command again: it goes on from there."),
    Reason.JOURNAL_UNREADABLE: tr("Move it away; what was there before each step lies in `originals` beside it."),
}


def journal_path(role: str) -> str:
    """Return the journal's path for a role."""
    return f"{STATE}/{role}/journal.json"


def site_installer(role: str, step: str = "") -> Installer:
    """Return on whose behalf a step of a role changes this host."""

    def error(failure: ChangeFailure) -> SiteError:
        return SiteError(
            _IDS[failure.reason],
            failure.what,
            where=failure.where or failure.change,
            remedy=failure.remedy or _REMEDIES[failure.reason],
            problems=failure.lines,
            step=step,
        )

    return Installer(journal_path(role), tr("a site's journal"), MARKS, error)


def has_made(host: Host, role: str, *steps: str) -> bool:
    """Tell whether steps of a role have changed this host; to all but root, who alone may know, it seems so.

    Raises SiteError (SITE_JOURNAL_UNREADABLE), BundleFormatError, StorageError.
    """
    if not host.is_root():
        return True
    journal = read_journal(host, site_installer(role))
    return journal is not None and any(record.step in steps for record in journal.made)
