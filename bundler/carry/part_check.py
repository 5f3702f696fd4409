"""Which parts of an archive arrived as they were sent: compared with the list of their sums, none of them opened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.archive.part_names import PART_SUMS
from bundler.durable import storage_errors
from bundler.errors import ErrorId, IntegrityError
from bundler.outcome_words import shown_word
from bundler.partial_file import write_durably
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.part_set import ByteRange, PartSet
    from bundler.model.progress import Task

READ_BYTES = 1024 * 1024
# unchecked: nothing says what its bytes should be
PartState = Literal["intact", "damaged", "missing", "unchecked"]


@dataclass(frozen=True, slots=True)
class PartFinding:
    """What became of one part.

    Arguments:
        span: which bytes of the archive it holds, where that is known.
        what: what is wrong, for a person, or "".
    """

    name: str
    state: PartState
    span: ByteRange | None
    what: str = ""


@dataclass(frozen=True, slots=True)
class PartsReport:
    """What became of all parts of an archive, in order, and of its parity.

    Arguments:
        mendable: whether parity can mend what is damaged; None where there is none.
    """

    where: str
    findings: tuple[PartFinding, ...]
    mendable: bool | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names of files to bring once more; the list of sums among them where a part is compared with nothing."""
        names = [finding.name for finding in self.findings if finding.state in ("damaged", "missing")]
        unchecked = any(finding.state == "unchecked" for finding in self.findings)
        return (*names, f"{self.where}{PART_SUMS}") if unchecked else tuple(names)


def check_parts(parts: PartSet, task: Task) -> PartsReport:
    """Read every part that is there. Raises StorageError.

    Arguments:
        task: advanced by the bytes that were read; not finished here.
    """
    return PartsReport(parts.whole.name, tuple(_finding(parts, name, task) for name in parts.names))


def require_parts(report: PartsReport) -> None:
    """Raise IntegrityError (BUNDLE_DAMAGED, or BUNDLE_INCOMPLETE where parts are only missing) unless all are there."""
    if not report.wanted:
        return
    states = {finding.name: finding.state for finding in report.findings}
    only_missing = all(states.get(name, "missing") == "missing" for name in report.wanted)
    raise IntegrityError(
        ErrorId.BUNDLE_INCOMPLETE if only_missing else ErrorId.BUNDLE_DAMAGED,
        tr("parts of the archive are missing") if only_missing else tr("parts of the archive are missing or damaged"),
        where=report.where,
        remedy=tr("Run `bundler repair`: their parity can mend them.")
        if report.mendable
        else tr("Bring just these parts again."),
        want=tr("every part as it was written"),
        got=", ".join(f"{name} {shown_word(states.get(name, 'missing'))}" for name in report.wanted),
    )


def write_wanted(report: PartsReport, file: Path) -> None:
    """Put the names of files to bring once more into a file, a line each. Raises StorageError."""
    write_durably(file, "".join(f"{name}\n" for name in report.wanted).encode())


def _finding(parts: PartSet, name: str, task: Task) -> PartFinding:
    path, span, want = parts.path(name), parts.byte_range(name), parts.sums.get(name)
    if path is None:
        return PartFinding(name, "missing", span)
    with storage_errors(path):
        if want is None:
            size = path.stat().st_size
            wrong = parts.part_bytes is not None and size != parts.part_bytes and name != parts.names[-1]
            what = (
                tr("has {size} bytes, the others {part_bytes}", size=size, part_bytes=parts.part_bytes)
                if wrong
                else tr("no list has its sum")
            )
            return PartFinding(name, "damaged" if wrong else "unchecked", span, what)
    try:
        got = _hex(path, task)
    except OSError as error:
        return PartFinding(name, "damaged", span, tr("cannot be read: {reason}", reason=error.strerror))
    if got == want:
        return PartFinding(name, "intact", span)
    others = [other for other, known in parts.sums.items() if known == got]
    return PartFinding(
        name,
        "damaged",
        span,
        tr("has the bytes of {others}", others=others[0]) if others else tr("differs from its sum"),
    )


def _hex(path: Path, task: Task) -> str:
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as stream:
        while chunk := stream.read(READ_BYTES):
            digest.update(chunk)
            task.advance(len(chunk))
    return digest.hexdigest()
