"""Apply and undo: steps taken in order and recorded before they are taken, records undone in reverse."""

from __future__ import annotations

import posixpath
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.host.failure import Reason, StepFailedError, StepFailure
from bundler.host.journal import Journal
from bundler.host.steps import undo
from bundler.model.json_value import unreadable_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from bundler.errors import BundlerError
    from bundler.host.interface import Host
    from bundler.host.journal import Record
    from bundler.host.marked_lines import Marks
    from bundler.host.steps import Step
    from bundler.model.json_value import Json

_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Installer:
    """On whose behalf hosts are changed.

    Arguments:
        journal: path of the file where it records what it made.
        called: what that file is, with its article, for messages.
        marks: what stands around its lines in files that are not its own.
        error: returns what to raise for a failure: the installer's own class, id and remedy.
    """

    journal: str
    called: str
    marks: Marks
    error: Callable[[StepFailure], BundlerError]


def read_journal(host: Host, installer: Installer) -> Journal | None:
    """Return what the installer has made on this host, or None.

    Raises the installer's error (JOURNAL_UNREADABLE), BundleFormatError for a higher format, StorageError.
    """
    data = host.read(installer.journal)
    if data is None:
        return None
    try:
        return Journal.decode(data, what=installer.called, where=installer.journal)
    except ValueError as error:
        raise unreadable(installer, error) from error


def unreadable(installer: Installer, error: Exception) -> BundlerError:
    """Return the installer's error for a journal, or a journal's head, that cannot be read."""
    return installer.error(
        StepFailure(Reason.JOURNAL_UNREADABLE, f"cannot be read: {unreadable_words(error)}", where=installer.journal)
    )


def require_root(host: Host, installer: Installer) -> None:
    """Raise the installer's error (NOT_ROOT) unless this process may change the host."""
    if not host.is_root():
        raise installer.error(StepFailure(Reason.NOT_ROOT, "only root may change this host"))


def apply_steps(
    host: Host, steps: Sequence[Step], installer: Installer, head: Mapping[str, Json], say: Callable[[str], None]
) -> None:
    """Bring the host to what the steps say, whatever was made there earlier; the same again changes nothing.

    An interruption leaves a journal by which `undo_all` undoes what was done.

    Arguments:
        head: what the journal is of.
        say: is given the title of each step that is taken, and what there is to know of those that are undone.

    Raises the installer's error with the step that failed; StorageError.
    """
    require_root(host, installer)
    earlier = read_journal(host, installer)
    # what earlier times made and no step has come to yet: undone before what this time makes, as the later steps are
    left = list(earlier.made) if earlier else []
    journal = Journal(head)
    wanted = {step.record.key for step in steps if step.record is not None}
    unwanted = [record for record in left if record.key not in wanted]
    while unwanted:
        same = _take(unwanted, unwanted[-1])
        _undo(host, same, installer, say)
        _take(left, same[-1])
        _write(host, installer, replace(journal, made=tuple(left)))
    made: list[Record] = []
    for step in steps:
        taken = _take(left, step.record)
        if step.is_done(host):
            if taken and step.record is not None:
                made.append(step.record)
            continue
        if step.record is not None:
            # of a file that is replaced, either content may be there when this is interrupted
            _write(host, installer, replace(journal, made=(*made, *taken, step.record, *left)))
            made.append(step.record)
        say(step.title)
        with _during(step.title, installer):
            step.apply(host, ours=_digests(taken))
    _write(host, installer, replace(journal, made=tuple(made)))


def undo_all(host: Host, installer: Installer, say: Callable[[str], None]) -> bool:
    """Undo what the journal names, last first, and nothing else; False when there is none. Raises as `apply_steps`."""
    require_root(host, installer)
    journal = read_journal(host, installer)
    if journal is None:
        return False
    made = list(journal.made)
    while made:
        _undo(host, [record for record in made if record.key == made[-1].key], installer, say)
        _take(made, made[-1])
        _write(host, installer, replace(journal, made=tuple(made)))
    host.remove(installer.journal)
    # it was made for the journal
    host.remove_directory(posixpath.dirname(installer.journal))
    return True


def undo_lines(journal: Journal) -> list[str]:
    """Return what `undo_all` would do, a line for each record."""
    return [record.undo_line for record in reversed(journal.made)]


def _take(made: list[Record], record: Record | None) -> list[Record]:
    """Take the earlier records of the same thing off the list, and return them."""
    found = [other for other in made if record is not None and other.key == record.key]
    for other in found:
        made.remove(other)
    return found


def _digests(records: Iterable[Record]) -> frozenset[str]:
    return frozenset(record.sha256 for record in records)


def _undo(host: Host, same: Sequence[Record], installer: Installer, say: Callable[[str], None]) -> None:
    """Undo what one or several records of the same thing say."""
    record = same[-1]
    say(record.undo_line)
    with _during(record.undo_line, installer):
        note = undo(host, record, ours=_digests(same), marks=installer.marks)
    if note:
        say(note)


@contextmanager
def _during(step: str, installer: Installer) -> Iterator[None]:
    """Raise the installer's error, with the step, for a step that fails in the block."""
    try:
        yield
    except StepFailedError as error:
        raise installer.error(replace(error.failure, step=step)) from error


def _write(host: Host, installer: Installer, journal: Journal) -> None:
    host.write(installer.journal, journal.encode(), _MODE)
