"""Apply and undo: changes made in order and recorded before they are made, records undone in reverse."""

from __future__ import annotations

import posixpath
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.file_changes import CopyFile, EditFile
from bundler.host.foreseen_files import Foreseen
from bundler.host.interface import FileOwner
from bundler.host.journal import Journal, Original, Record
from bundler.host.undo import original_path, undo
from bundler.model.json_value import unreadable_words
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from bundler.errors import BundlerError
    from bundler.host.changes import Change
    from bundler.host.interface import Host
    from bundler.host.marked_lines import Marks
    from bundler.model.json_value import Json

_MODE = 0o600
# these may replace what was there before: where it is there still, an interruption came first
_REPLACING = (CopyFile, EditFile)


@dataclass(frozen=True, slots=True)
class Installer:
    """On whose behalf hosts are changed.

    Arguments:
        journal: path of the file where it records what it made; what was there before is kept beside it.
        called: what that file is, with its article, for messages.
        marks: what stands around its lines in files that are not its own.
        error: returns what to raise for a failure: the installer's own class, id and remedy.
    """

    journal: str
    called: str
    marks: Marks
    error: Callable[[ChangeFailure], BundlerError]


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
        ChangeFailure(
            Reason.JOURNAL_UNREADABLE,
            tr("cannot be read: {reason}", reason=unreadable_words(error)),
            where=installer.journal,
        )
    )


def require_root(host: Host, installer: Installer) -> None:
    """Raise the installer's error (NOT_ROOT) unless this process may change the host."""
    if not host.is_root():
        raise installer.error(ChangeFailure(Reason.NOT_ROOT, tr("only root may change this host")))


def apply_changes(
    host: Host,
    changes: Sequence[Change],
    installer: Installer,
    head: Mapping[str, Json],
    say: Callable[[str], None],
    *,
    step: str = "",
    force: bool = False,
) -> None:
    """Bring the host to what the changes say, whatever was made there earlier; the same again changes nothing.

    An interruption leaves a journal by which `undo_all` undoes what was done.

    Arguments:
        head: what the journal is of.
        say: is given the title of each change that is made, and what there is to know of those that are undone.
        step: what the changes are a part of; what was made for other steps stays as it is.
        force: replace what others changed.

    Raises the installer's error with the change that failed; StorageError.
    """
    require_root(host, installer)
    earlier = read_journal(host, installer)
    made_earlier = earlier.made if earlier else ()
    others = tuple(record for record in made_earlier if record.step != step)
    # what earlier times made and no change has come to yet: undone before what this time makes, as later ones are
    left = [record for record in made_earlier if record.step == step]

    def write(*records: Record) -> None:
        write_journal(host, installer, Journal(head, (*others, *records)))

    wanted = {change.key for change in changes}
    unwanted = [record for record in left if record.key not in wanted]
    while unwanted:
        same = _take(unwanted, unwanted[-1].key)
        _undo(host, same, installer, say, force=force)
        _take(left, same[-1].key)
        write(*left)
        _drop_original(host, installer, same[-1], (*others, *left))
    made: list[Record] = []
    # what this step has left in files, on which later steps' changes of the same files stand
    beneath = {(record.file, record.sha256) for record in left}
    for change in changes:
        # a file may be changed twice
        taken = [*_take(left, change.key), *_take(made, change.key)]
        if change.is_done(host):
            made += _continued(host, taken)
            continue
        with _during(change.title, installer):
            record = change.record(host)
            if record is not None:
                record = _begun(host, record, taken or _made_elsewhere(host, record, others), installer, step)
                # of a file that is replaced, either content may be there when this is interrupted
                write(*made, *taken, record, *left)
                made.append(record)
            if not isinstance(change, Foreseen):
                say(change.title)
            if force and taken:
                _keep_replaced(host, taken, installer, say)
            ours = _digests(taken) | (_originals(taken) if isinstance(change, _REPLACING) else frozenset())
            rewritten = change.apply(host, ours=ours, force=force)
        if rewritten:
            beneath.update((record.file, record.sha256) for record in (*made, *left))
            others = _adopted(host, _founded_anew(host, others, rewritten, beneath, installer), rewritten)
            made[:] = _adopted(host, made, rewritten)
            left[:] = _adopted(host, left, rewritten)
            write(*made, *left)
    foreseen = {change.path for change in changes if isinstance(change, Foreseen)}
    write(*_adopted(host, made, [record.file for record in made if record.file in foreseen and _is_open(host, record)]))


def undo_all(host: Host, installer: Installer, say: Callable[[str], None]) -> bool:
    """Undo what the journal names, last first, and nothing else; False when there is none.

    Raises as `apply_changes`.
    """
    require_root(host, installer)
    journal = read_journal(host, installer)
    if journal is None:
        return False
    undo_records(host, installer, journal, journal.made, say)
    forget(host, installer)
    return True


def undo_records(
    host: Host,
    installer: Installer,
    journal: Journal,
    records: Sequence[Record],
    say: Callable[[str], None],
    *,
    force: bool = False,
) -> Journal:
    """Undo some of a journal's records, last first, and return the journal without them. Raises as `apply_changes`."""
    left = list(records)
    while left:
        same = _take(left, left[-1].key)
        _undo(host, same, installer, say, force=force)
        journal = replace(journal, made=tuple(record for record in journal.made if record not in same))
        write_journal(host, installer, journal)
        _drop_original(host, installer, same[-1], journal.made)
    return journal


def forget(host: Host, installer: Installer) -> None:
    """Remove a journal whose records are all undone, with the directories that were made for it."""
    host.remove(installer.journal)
    # they were made for the journal; originals of files that stay as others made them are kept
    host.remove_directory(posixpath.dirname(original_path(installer.journal, "")))
    host.remove_directory(posixpath.dirname(installer.journal))


def undo_lines(journal: Journal) -> list[str]:
    """Return what `undo_all` would do, a line for each record."""
    return [record.undo_line for record in reversed(journal.made)]


def _take(made: list[Record], key: tuple[str, ...] | None) -> list[Record]:
    """Take the earlier records of the same thing off the list, and return them."""
    found = [other for other in made if other.key == key]
    for other in found:
        made.remove(other)
    return found


def _continued(host: Host, taken: list[Record]) -> list[Record]:
    """Return the one record, of those of the same thing, that says what was made here last."""
    if len(taken) < 2:
        return taken
    # of what an interruption left, that which is there
    digest = host.digest(taken[-1].file) if taken[-1].file else ""
    return [next((record for record in taken if record.sha256 == digest), taken[-1])]


def _adopted(host: Host, records: Sequence[Record], files: Sequence[str]) -> tuple[Record, ...]:
    """Return the records, those of some files with what these hold now."""
    return tuple(
        replace(record, sha256=host.digest(record.file)) if record.file in files else record for record in records
    )


def _is_open(host: Host, record: Record) -> bool:
    """Tell whether nobody has noted yet what another program wrote into a file, whichever change had it do so."""
    before = record.original.sha256 if record.original else ""
    return record.sha256 in ("", before) and host.exists(record.file)


def _founded_anew(
    host: Host,
    others: Sequence[Record],
    files: Sequence[str],
    beneath: Collection[tuple[str, str]],
    installer: Installer,
) -> tuple[Record, ...]:
    """Return other steps' records; what was there before those that stand on this step's files is what they hold now.

    Arguments:
        files: those that somebody else's program has written anew.
        beneath: (file, SHA-256) of what this step has left in them so far.
    """
    founded = []
    for record in others:
        original = record.original
        if record.file in files and original and (record.file, original.sha256) in beneath:
            record = replace(record, original=_kept(host, record.file, installer))  # noqa: PLW2901 - the same one
        founded.append(record)
    return tuple(founded)


def _kept(host: Host, path: str, installer: Installer) -> Original | None:
    """Keep a copy of a file beside the journal, and return what it is of; None where there is no file."""
    status = host.status(host.resolved(path))
    if status is None or status.kind != "file":
        return None
    digest = host.digest(path)
    kept = original_path(installer.journal, digest)
    if host.digest(kept) != digest:
        host.make_directory(posixpath.dirname(kept), 0o700)
        host.copy(path, kept, _MODE)
    return Original(digest, status.mode, FileOwner(status.uid, status.gid))


def _begun(host: Host, record: Record, taken: Sequence[Record], installer: Installer, step: str) -> Record:
    """Return a record with what is there before, a file of which is kept; of a step, also when it was made."""
    if step:
        record = replace(record, step=step, at=int(host.now()))
    if not record.file:
        return record
    if taken:
        return replace(record, original=taken[0].original, directories=taken[0].directories)
    directories: list[str] = []
    above = posixpath.dirname(record.file)
    while step and above != "/" and not host.exists(above):
        directories.insert(0, above)
        above = posixpath.dirname(above)
    original = _kept(host, record.file, installer)
    # directories were made for a file alone that was not there
    return replace(record, original=original, directories=() if original else tuple(directories))


def _made_elsewhere(host: Host, record: Record, others: Sequence[Record]) -> list[Record]:
    """Return another step's record of a file that is about to be set aside: nothing that was made here comes back."""
    if not record.file or record.sha256 or record.block or not host.exists(record.file):
        return []
    return [other for other in others if other.file == record.file][:1]


def _digests(records: Iterable[Record]) -> frozenset[str]:
    return frozenset(record.sha256 for record in records if record.sha256)


def _originals(records: Iterable[Record]) -> frozenset[str]:
    return frozenset(record.original.sha256 for record in records if record.original)


def _keep_replaced(host: Host, same: Sequence[Record], installer: Installer, say: Callable[[str], None]) -> None:
    """Keep what somebody else has made of a file since, which is about to be replaced."""
    file = same[-1].file
    known = _digests(same) | _originals(same)
    if file and host.exists(file) and host.digest(file) not in known and (kept := _kept(host, file, installer)):
        say(
            tr(
                "what somebody else made of {file} is kept in {journal}",
                file=file,
                journal=original_path(installer.journal, kept.sha256),
            )
        )


def _undo(
    host: Host, same: Sequence[Record], installer: Installer, say: Callable[[str], None], *, force: bool = False
) -> None:
    """Undo what one or several records of the same thing say."""
    record = same[-1]
    say(record.undo_line)
    with _during(record.undo_line, installer):
        if force:
            _keep_replaced(host, same, installer, say)
        ours = _digests(same)
        note = undo(host, record, ours=ours, marks=installer.marks, journal=installer.journal, force=force)
    if note:
        say(note)


def _drop_original(host: Host, installer: Installer, record: Record, others: Iterable[Record]) -> None:
    """Remove the copy of what was there before, where the file holds it again and no other record needs it."""
    original = record.original
    if original is None or host.digest(record.file) != original.sha256:
        return
    if not any(other.original and other.original.sha256 == original.sha256 for other in others):
        host.remove(original_path(installer.journal, original.sha256))


@contextmanager
def _during(change: str, installer: Installer) -> Iterator[None]:
    """Raise the installer's error, with the change, for a change that fails in the block."""
    try:
        yield
    except ChangeFailedError as error:
        raise installer.error(replace(error.failure, change=change)) from error


def write_journal(host: Host, installer: Installer, journal: Journal) -> None:
    """Replace the journal. Raises StorageError."""
    host.write(installer.journal, journal.encode(), _MODE)
