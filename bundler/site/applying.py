"""Apply and undo a role's steps on this host: one after the other, each recorded, the first that fails ends it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bundler.errors import BundlerError, ErrorId, SiteError
from bundler.host.apply import apply_changes, forget, read_journal, require_root, undo_records, write_journal
from bundler.site.installer import journal_path, site_installer
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bundler.host.interface import Host
    from bundler.model.json_value import Json
    from bundler.site.config.model import Role
    from bundler.site.step import Step, StepContext, StepFinding

_STEPS = "steps"


@dataclass(frozen=True, slots=True)
class StepReport:
    """What became of one step.

    Arguments:
        changed: titles of the changes that were made, in order; empty where everything was there.
        notes: what a person should know beside that.
    """

    name: str
    title: str
    changed: tuple[str, ...]
    seconds: float
    notes: tuple[StepFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class StepListener:
    """Whom applying tells what it does.

    Arguments:
        begun: a step begins: its number from 1, how many there are, the step.
        changed: the title of a change, before it is made.
        ended: a step has ended.
    """

    begun: Callable[[int, int, Step], None]
    changed: Callable[[str], None]
    ended: Callable[[StepReport], None]


def apply_site(at: StepContext, role: Role, steps: Sequence[Step], listener: StepListener) -> tuple[StepReport, ...]:
    """Apply steps in order, and stop at the first one that fails; the same again goes on from there.

    Raises SiteError with the step's name (SITE_UNMET, SITE_STEP_FAILED, SITE_FILE_CHANGED, SITE_BUSY, SITE_NOT_ROOT);
    whatever else a step's changes raise.
    """
    require_root(at.host, site_installer(role))
    with _alone(at.host, role):
        reports = []
        for number, step in enumerate(steps, 1):
            listener.begun(number, len(steps), step)
            report = _apply_step(at, role, step, listener.changed)
            listener.ended(report)
            reports.append(report)
        return tuple(reports)


def _apply_step(at: StepContext, role: Role, step: Step, say: Callable[[str], None]) -> StepReport:
    begin = at.host.elapsed()
    findings = step.unmet(at)
    _require(step, [finding for finding in findings if finding.weight == "unmet"], ErrorId.SITE_UNMET)
    changed: list[str] = []

    def note(title: str) -> None:
        changed.append(title)
        say(title)

    installer = site_installer(role, step.name)
    with _step_named(step):
        apply_changes(
            at.host, step.changes(at), installer, _head(at, role), note, step=step.name, force=at.options.force
        )
        faults = step.faults(at)
    _require(step, [finding for finding in faults if finding.weight == "fault"], ErrorId.SITE_STEP_FAILED)
    seconds = at.host.elapsed() - begin
    if changed:
        _record(at, role, step, seconds)
    notes = tuple(finding for finding in (*findings, *faults) if finding.weight in ("note", "pending"))
    return StepReport(step.name, step.title, tuple(changed), seconds, notes)


def undo_site(
    host: Host, role: Role, steps: Sequence[Step], say: Callable[[str], None], *, force: bool = False
) -> bool:
    """Undo what was made for these steps, the last one first; False when nothing was.

    Raises SiteError, StorageError.
    """
    installer = site_installer(role)
    require_root(host, installer)
    with _alone(host, role):
        journal = read_journal(host, installer)
        if journal is None:
            return False
        any_made = False
        for step in reversed(steps):
            records = [record for record in journal.made if record.step == step.name]
            any_made = any_made or bool(records)
            journal = undo_records(host, site_installer(role, step.name), journal, records, say, force=force)
        if not journal.made:
            forget(host, installer)
        return any_made


@contextmanager
def _alone(host: Host, role: Role) -> Iterator[None]:
    with host.locked(f"{journal_path(role)}.lock") as alone:
        if not alone:
            raise SiteError(
                ErrorId.SITE_BUSY,
                tr("another `bundler site` changes this host right now"),
                remedy=tr("Wait until it has ended."),
                step="",
            )
        yield


@contextmanager
def _step_named(step: Step) -> Iterator[None]:
    """Name the step in errors that know nothing of it: those of files and of other parts of this tool."""
    try:
        yield
    except SiteError:
        raise
    except BundlerError as error:
        raise error.with_context(tr("in step {name}", name=step.name)) from error


def _require(step: Step, findings: Sequence[StepFinding], error: ErrorId) -> None:
    if not findings:
        return
    first, *others = findings
    raise SiteError(
        error,
        first.what,
        where=first.where,
        remedy=first.remedy or tr("Mend it, then run the same command again: it goes on from there."),
        problems=[finding.text for finding in others],
        step=step.name,
    )


def _head(at: StepContext, role: Role) -> Mapping[str, Json]:
    journal = read_journal(at.host, site_installer(role))
    known: Mapping[str, Any] = journal.head if journal else {}
    return {**known, "role": role, "host": at.this.name}


def _record(at: StepContext, role: Role, step: Step, seconds: float) -> None:
    """Note in the journal when a step was applied, and how long it took."""
    head = _head(at, role)
    known: Any = head.get(_STEPS)
    steps = known if isinstance(known, dict) else {}
    result: Json = {"at": int(at.host.now()), "seconds": round(seconds, 1)}
    installer = site_installer(role, step.name)
    if (journal := read_journal(at.host, installer)) is not None:
        head = {**head, _STEPS: {**steps, step.name: result}}
        write_journal(at.host, installer, replace(journal, head=head))
