"""`bundler verify`: is this archive or tree the bundle that was built?"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from bundler import console
from bundler.archive.root_record import remember_verified_tree
from bundler.archive.verify import verify_bundle, verify_files
from bundler.archive.verify_report import VerifyReport, require_intact
from bundler.cli.bundle_sources import is_url, opened_source, shown_name, source_argument, source_ca_option
from bundler.cli.carry_options import part_dir_option
from bundler.cli.delta_answer import share_lines, shares_value
from bundler.cli.options import FILE, json_option, option
from bundler.cli.parts_answer import answer_parts, unchanged_when_interrupted
from bundler.cli.trust_options import admission_option, read_admission, signature_value
from bundler.model.digest import ID_CHARACTERS
from bundler.model.size_text import human_bytes
from bundler.source.open_source import find_source
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.archive.exact_form import ExactForm
    from bundler.archive.part_set import PartPlaces
    from bundler.model.json_value import Json
    from bundler.model.progress import Progress, Task
    from bundler.trust.admission import Admission

_ABOUT_ALL_BYTES = ("strict", "exact", "keys", "allow_unsigned", "ca_file")


@click.command()
@source_argument()
@option("--strict", is_flag=True, help=tr("In a tree, files that are not the bundle's are an error, not a note."))
@option("--exact", is_flag=True, help=tr("Compress an archive's content again, too, and compare to the last bit."))
@option(
    "--parts", is_flag=True, help=tr("Only compare the parts of an archive with their sums, and name the bad ones.")
)
@option(
    "--list", "wanted_file", type=FILE, help=tr("With --parts: put the names of parts to bring again into this file.")
)
@admission_option
@source_ca_option
@part_dir_option
@json_option
@click.pass_context
def verify(
    context: click.Context,
    source: str,
    strict: bool,
    exact: bool,
    parts: bool,
    wanted_file: Path | None,
    keys: tuple[Path, ...],
    allow_unsigned: bool,
    ca_file: Path | None,
    places: PartPlaces,
    as_json: bool,
) -> None:
    """Check every byte of a bundle, and who has signed it.

    SOURCE is an archive, its first part or the directory of its parts, an unpacked tree, - for an archive on standard
    input, or the URL of a running mirror. Exit 5 when it is damaged, or not signed by those whom --key or this host
    trusts.
    """
    _require_meaning(context, parts=parts)
    if parts:
        answer_parts(source, places, wanted_file, as_json=as_json)
        return
    admission, tell = read_admission(keys, allow_unsigned=allow_unsigned), console.timed(quiet=as_json)
    with unchanged_when_interrupted(), console.progress(quiet=as_json) as progress:
        task = progress.task(shown_name(source), None)
        if is_url(source):
            report = _verified_url(source, progress, task, ca_file, admission)
        else:
            report = verify_bundle(find_source(source, places), task, strict=strict, exact=exact, admission=admission)
        _end(task, report, source)
    tell(tr("checked"), human_bytes(report.content_bytes))
    answer = partial(console.answer, schema="bundler.verify/1", as_json=as_json)
    answer(_text(report), _value(report), require=partial(require_intact, report))


def _require_meaning(context: click.Context, *, parts: bool) -> None:
    """Refuse what was typed and says nothing in this mode; the environment is meant for other commands as well."""
    for typed in context.command.params:
        name = typed.name or ""
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            continue
        if parts and name in _ABOUT_ALL_BYTES:
            raise click.UsageError(
                tr(
                    "{option} does not go with --parts, which compares parts with the list of their sums and opens "
                    "none: leave --parts out",
                    option=typed.opts[0],
                )
            )
        if not parts and name == "wanted_file":
            raise click.UsageError(tr("--list goes with --parts"))


def _end(task: Task, report: VerifyReport, source: str) -> None:
    task.finish(tr("intact") if report.intact else tr("damaged"))
    if report.intact:
        remember_verified_tree(Path(source))


def _verified_url(url: str, progress: Progress, task: Task, ca_file: Path | None, admission: Admission) -> VerifyReport:
    with opened_source(url, progress, ca_file=ca_file, admission=admission) as reader:
        return verify_files(reader, task, admission)


def _text(report: VerifyReport) -> str:
    size = human_bytes(report.content_bytes)
    total = report.files + len(report.missing) + len(report.changed)
    title = f"{report.name} {report.release}".rstrip()
    lines = [
        tr(
            "{title}, bundle {id}: {files} of {total} files intact, {size}",
            title=title,
            id=report.id[:ID_CHARACTERS],
            files=report.files,
            total=total,
            size=size,
        )
    ]
    lines.append(report.verdict.sentence)
    lines += share_lines(report.left)
    if report.wanting:
        lines.append(tr("a delta without its base: {count} files are missing", count=len(report.missing)))
    if report.left_out:
        lines.append(tr("a subset: {left_out} further files of the bundle are left out", left_out=report.left_out))
    ownership = report.ownership
    missing = () if report.wanting else report.missing
    found = ((tr("missing"), missing), (tr("changed"), report.changed), (tr("not listed"), report.unlisted))
    for word, paths in (*found, *ownership.found, (tr("another mode, which does no harm"), ownership.other_modes)):
        lines += [f"{word}: {path}" for path in paths]
    if report.form is not None:
        lines += [
            tr("compressed otherwise: the member at byte {offset}", offset=offset) for offset in report.form.differing
        ]
        if report.form.not_compared:
            lines.append(
                tr("the compressed form was not compared: {not_compared}", not_compared=report.form.not_compared)
            )
    return "\n".join(lines)


def _value(report: VerifyReport) -> dict[str, Json]:
    return {
        "bundle": report.id,
        "name": report.name,
        "release": report.release,
        "intact": report.intact,
        "files": report.files,
        "content_bytes": report.content_bytes,
        "missing": list(report.missing),
        "changed": list(report.changed),
        "unlisted": list(report.unlisted),
        "left_out": report.left_out,
        "left_to_bases": shares_value(report.left),
        "form": None if report.form is None else _form(report.form),
        "mode": list(report.ownership.mode),
        "owner": list(report.ownership.owner),
        "header": list(report.ownership.header),
        "other_modes": list(report.ownership.other_modes),
        **signature_value(report.verdict),
    }


def _form(form: ExactForm) -> dict[str, Json]:
    return {"differing": list(form.differing), "not_compared": form.not_compared or None}
