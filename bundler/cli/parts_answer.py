"""What commands answer about the parts of an archive: which were written, and what became of them on the way."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bundler import console
from bundler.archive.archive_files import archive_files
from bundler.archive.faults import not_found
from bundler.archive.part_set import find_parts
from bundler.carry.block_check import check_blocks
from bundler.carry.carried_set import find_carried
from bundler.carry.part_check import PartsReport, check_parts, require_parts, write_wanted
from bundler.cli.bundle_sources import shown_name
from bundler.outcome_words import shown_word
from bundler.translation import tr, tr_plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from bundler.archive.part_set import PartPlaces
    from bundler.model.json_value import Json
    from bundler.model.progress import Task

# longer lists are cut in the middle: their names follow from each other
MAX_LINES = 6


def written_lines(out: Path, written: Sequence[Path], *, parity: bool) -> Iterator[str]:
    """Yield a line for each part that an archive was written as, how to read them, and what parity is called."""
    yield from _part_lines(out, [path.name for path in written if path != out])
    if parity:
        yield tr("parity for `bundler repair`: {name}.p[0-9]* {name}.parity.json", name=out.name)


def _part_lines(out: Path, names: Sequence[str]) -> Iterator[str]:
    if not names:
        return
    yield from names if len(names) <= MAX_LINES else [*names[: MAX_LINES - 2], "...", names[-1]]
    yield tr_plural(
        "{count} part; without this tool: cat {name}.[0-9]* | tar -zxf - -C /opt",
        "{count} parts; without this tool: cat {name}.[0-9]* | tar -zxf - -C /opt",
        len(names),
        name=out.name,
    )


def unchanged_when_interrupted() -> AbstractContextManager[None]:
    """Let an interruption of what only reads say so."""
    return console.kept_when_interrupted(tr("Nothing was changed, and nothing is known of what was not yet read."))


def answer_parts(source: str, places: PartPlaces, wanted_file: Path | None, *, as_json: bool) -> None:
    """Check the parts of an archive alone, and answer what became of each.

    Arguments:
        wanted_file: gets the names of those to bring once more, a line each.
    """
    with unchanged_when_interrupted(), console.progress(quiet=as_json) as progress:
        task = progress.task(shown_name(source) or source, None)
        report = _checked(Path(source), places, task)
        task.finish(tr("damaged") if report.wanted else tr("intact"))
    if wanted_file is not None:
        write_wanted(report, wanted_file)
    require = partial(require_parts, report)
    console.answer(_text(report), _value(report), schema="bundler.verify-parts/1", as_json=as_json, require=require)


def _checked(source: Path, places: PartPlaces, task: Task) -> PartsReport:
    """Compare blocks with their sums where there is parity, or else parts with theirs."""
    carried = find_carried(source, places)
    if (index := carried.index()) is not None:
        return check_blocks(carried, index, task)
    parts = find_parts(source, places)
    if parts is None:
        # there is none, or it is no part of anything
        archive_files(source)
        raise not_found(str(source), tr("is a whole archive: it has no parts"))
    return check_parts(parts, task)


def _text(report: PartsReport) -> str:
    rows = [
        (finding.name, shown_word(finding.state), str(finding.span or ""), finding.what) for finding in report.findings
    ]
    lines = [console.table((tr("PART"), tr("STATE"), tr("OF THE ARCHIVE"), ""), rows)]
    lines += [tr("bring again: {name}", name=name) for name in report.wanted]
    if report.wanted and report.mendable is not None:
        can = tr("parity can mend all of it") if report.mendable else tr("parity alone cannot mend all of it")
        lines.append(tr("{can}: bundler repair", can=can))
    return "\n".join(lines)


def _value(report: PartsReport) -> dict[str, Json]:
    return {
        "archive": report.where,
        "intact": not report.wanted,
        "mendable": report.mendable,
        "wanted": list(report.wanted),
        "parts": [
            {
                "name": finding.name,
                "state": finding.state,
                "begin": None if finding.span is None else finding.span.begin,
                "end": None if finding.span is None else finding.span.end,
                "what": finding.what,
            }
            for finding in report.findings
        ],
    }
