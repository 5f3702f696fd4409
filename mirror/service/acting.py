"""Install and remove: steps applied in order and recorded before they are taken, records undone in reverse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ServeError, ToolMissingError
from mirror.service.journal import JOURNAL, Journal
from mirror.service.steps import undo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mirror.service.host import Facts, Host
    from mirror.service.journal import Record
    from mirror.service.steps import Step
    from mirror.settings import Settings

_MODE = 0o600


def read_journal(host: Host) -> Journal | None:
    """Return what is installed on this host, or None. Raises ServeError (SERVICE_FAILED), StorageError."""
    data = host.read(JOURNAL)
    return None if data is None else Journal.decode(data)


def install(host: Host, facts: Facts, steps: Sequence[Step], settings: Settings, say: Callable[[str], None]) -> None:
    """Bring the host to what the steps say, whatever an earlier installation left; the same again changes nothing.

    An interruption leaves a journal by which `remove` undoes what was done. Raises ServeError (SERVICE_FAILED),
    ToolMissingError, StorageError.
    """
    _require_root(host)
    if not facts.systemd:
        raise ToolMissingError(
            "systemd", package="systemd, or start `mirror serve` by what this host has", needed_for="it"
        )
    earlier = read_journal(host)
    # what earlier times made and no step has come to yet: undone before what this time makes, as the later steps are
    left = list(earlier.made) if earlier else []
    # the registry's own port answers /-/health as well
    journal = Journal(settings.http or settings.registry, settings.ftp, settings.tls is not None, ())
    wanted = {step.record.key for step in steps if step.record is not None}
    for record in [record for record in reversed(left) if record.key not in wanted]:
        _undo(host, [record], say)
        left.remove(record)
        _write(host, replace(journal, made=tuple(left)))
    made: list[Record] = []
    for step in steps:
        taken = _take(left, step.record)
        if step.is_done(host):
            if taken and step.record is not None:
                made.append(step.record)
            continue
        if step.record is not None:
            # of a file that is replaced, either content may be there when this is interrupted
            _write(host, replace(journal, made=(*made, *taken, step.record, *left)))
            made.append(step.record)
        say(step.describe().partition("    #")[0].splitlines()[0])
        step.apply(host, ours=_digests(taken))
    _write(host, replace(journal, made=tuple(made)))


def remove(host: Host, say: Callable[[str], None]) -> bool:
    """Undo what was installed, and nothing else; False when nothing is. Raises as `install` does."""
    _require_root(host)
    journal = read_journal(host)
    if journal is None:
        return False
    made = list(journal.made)
    while made:
        _undo(host, [record for record in made if record.key == made[-1].key], say)
        _take(made, made[-1])
        _write(host, replace(journal, made=tuple(made)))
    host.remove(JOURNAL)
    return True


def removal_lines(journal: Journal) -> list[str]:
    """Return what removing would do, a line for each record."""
    return [" ".join(record.undo) or f"remove {record.file}" for record in reversed(journal.made)]


def _take(made: list[Record], record: Record | None) -> list[Record]:
    """Take the earlier records of the same thing off the list, and return them."""
    found = [other for other in made if record is not None and other.key == record.key]
    for other in found:
        made.remove(other)
    return found


def _digests(records: Iterable[Record]) -> frozenset[str]:
    return frozenset(record.sha256 for record in records)


def _undo(host: Host, same: Sequence[Record], say: Callable[[str], None]) -> None:
    """Undo what one or several records of the same thing say."""
    record = same[-1]
    say(" ".join(record.undo) or f"remove {record.file}")
    if note := undo(host, record, _digests(same)):
        say(note)


def _write(host: Host, journal: Journal) -> None:
    host.write(JOURNAL, journal.encode(), _MODE)


def _require_root(host: Host) -> None:
    if not host.is_root():
        raise ServeError(
            ErrorId.SERVICE_FAILED,
            "only root may change the services of this host",
            remedy="Run it as root, or with --dry-run to see what it would do.",
        )
