"""`bundler unpack`: a bundle into a directory, verified on the way, complete or absent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from bundler import console
from bundler.archive.bundle_signatures import bundle_verdict
from bundler.archive.unpack import Unpacked
from bundler.archive.unpack import unpack as unpack_into
from bundler.archive.unpack_beside import unpack_beside
from bundler.cli.bundle_sources import is_url, opened_source, shown_name, source_argument, source_ca_option
from bundler.cli.carry_options import part_dir_option
from bundler.cli.options import FILE, json_option, option, platform_option
from bundler.cli.trust_options import admission_option, older_option, read_admission, signature_value
from bundler.model.digest import ID_CHARACTERS
from bundler.model.manifest import ROLES
from bundler.model.size_text import human_bytes
from bundler.model.subset import Choice
from bundler.translation import tr
from bundler.trust.entry_rule import EntryRule
from bundler.trust.seen_releases import SeenBundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.part_set import PartPlaces
    from bundler.model.json_value import Json
    from bundler.model.platform import Platform
    from bundler.model.progress import Task
    from bundler.trust.signature_verdict import SignatureVerdict

_ID = re.compile(rf"(sha256:)?(?P<hex>[0-9a-f]{{{ID_CHARACTERS},64}})")


def _bundle_id(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not value:
        return ""
    match = _ID.fullmatch(value)
    if match is None:
        raise click.BadParameter(
            tr(
                "{value!r} is no bundle's id: write at least its first {id_characters} digits",
                value=value,
                id_characters=ID_CHARACTERS,
            )
        )
    return match["hex"]


def _globs(_ctx: click.Context, _param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for glob in value:
        try:
            glob.encode()
        except UnicodeEncodeError as error:
            raise click.BadParameter(tr("{glob!r} fits no path of a bundle: those are UTF-8", glob=glob)) from error
    return value


@click.command()
@source_argument()
@option("-C", "--directory", type=FILE, help=tr("Where to; made when it is absent, others' files are left alone."))
@option("--root", type=FILE, help=tr("Put it beside other bundles, into a directory of its own below this one."))
@option("--activate", is_flag=True, help=tr("With --root: let `current` lead to it."))
@option(
    "--id", "bundle_id", default="", callback=_bundle_id, metavar="ID", help=tr("The id that the bundle has to have.")
)
@option("--role", "roles", multiple=True, type=click.Choice(ROLES), help=tr("Only what this role needs (repeatable)."))
@platform_option
@option(
    "--only",
    variable="BUNDLER_UNPACK_ONLY",
    multiple=True,
    metavar="GLOB",
    callback=_globs,
    help=tr("Only paths that match, such as 'kubeedge/*' (repeatable)."),
)
@admission_option
@older_option
@source_ca_option
@part_dir_option
@json_option
@click.pass_context
def unpack(
    context: click.Context,
    source: str,
    directory: Path | None,
    root: Path | None,
    activate: bool,
    bundle_id: str,
    keys: tuple[Path, ...],
    allow_unsigned: bool,
    allow_older: bool,
    ca_file: Path | None,
    places: PartPlaces,
    roles: tuple[str, ...],
    platforms: tuple[Platform, ...],
    only: tuple[str, ...],
    as_json: bool,
) -> None:
    """Unpack SOURCE, verifying who has signed it and every byte.

    SOURCE is an archive, the first of its parts or the directory that holds them, an unpacked tree, - for an archive on
    standard input, or the URL of a running mirror, of which only what no bundle of the root holds is fetched. The
    bundle is there completely or not at all; after an interruption run the same command again. --role, --platform and
    --only take a part of it, which the same command without them completes.
    """
    choice = Choice(tuple(sorted({*roles})), tuple(sorted({*platforms})), tuple(sorted({*only})))
    place, tell = _place(context, directory, root, activate=activate, choice=choice), console.timed(quiet=as_json)
    rule = EntryRule(read_admission(keys, allow_unsigned=allow_unsigned), allow_older)
    opened = partial(opened_source, wanted_id=bundle_id, into=place.directory, ca_file=ca_file, places=places)
    with (
        console.kept_when_interrupted(_kept(source, place.directory)),
        console.progress(quiet=as_json) as progress,
        opened(source, progress, admission=rule.admission) as reader,
    ):
        # of a mirror each file that is fetched is counted by itself
        task = progress.task(shown_name(source), None, apart=True)
        unpacked, verdict = _brought_in(reader, place, task, rule)
    tell(_outcome(unpacked), human_bytes(unpacked.content_bytes))
    text, value = _text(unpacked, verdict), _value(unpacked, verdict)
    console.answer(text, value, schema="bundler.unpack/1", as_json=as_json)


def _brought_in(
    reader: BundleReader, place: _Destination, task: Task, rule: EntryRule
) -> tuple[Unpacked, SignatureVerdict]:
    checked = reader.checked
    verdict = bundle_verdict(checked, reader.signatures, rule.admission)
    if note := rule.require(checked.index.name, checked.index.release, checked.where):
        task.note(note)
    unpacked = place.unpack(reader, task)
    task.finish(_outcome(unpacked))
    rule.record(verdict, checked.index.name, SeenBundle(checked.index.release, checked.id))
    return unpacked, verdict


@dataclass(frozen=True, slots=True)
class _Destination:
    directory: Path
    unpack: Callable[[BundleReader, Task], Unpacked]


def _place(
    context: click.Context, directory: Path | None, root: Path | None, *, activate: bool, choice: Choice
) -> _Destination:
    """Return where the two options put the bundle, and what does it; of both, the one that was typed counts."""
    if directory is not None and _is_inherited(context, "root"):
        root = None
    elif root is not None and _is_inherited(context, "directory"):
        directory = None
    if directory is not None and root is None:
        if activate:
            raise click.UsageError(
                tr("--activate needs --root: what lies in a directory alone is not chosen among others")
            )
        return _Destination(directory, lambda reader, task: unpack_into(reader, directory, task, choice=choice))
    if root is not None and directory is None:
        return _Destination(
            root, lambda reader, task: unpack_beside(reader, root, task, activate=activate, choice=choice)
        )
    raise click.UsageError(tr("give one of -C DIRECTORY and --root DIRECTORY"))


def _is_inherited(context: click.Context, parameter: str) -> bool:
    """Tell whether a value comes from the environment, where it may be meant for other commands."""
    return context.get_parameter_source(parameter) is ParameterSource.ENVIRONMENT


def _kept(source: str, directory: Path) -> str:
    fetched = tr(" but for the files that were fetched, which wait there") if is_url(source) else ""
    return tr("{directory} is as it was{fetched}.", directory=directory, fetched=fetched)


def _outcome(unpacked: Unpacked) -> str:
    return tr("present") if unpacked.present else tr("unpacked")


def _text(unpacked: Unpacked, verdict: SignatureVerdict) -> str:
    shared = (
        tr(", {size} shared with other bundles", size=human_bytes(unpacked.linked_bytes))
        if unpacked.linked_bytes
        else ""
    )
    left_out = tr(", {left_out} left out", left_out=unpacked.left_out) if unpacked.left_out else ""
    bundle = tr(
        "{directory}: bundle {id} {outcome}",
        directory=unpacked.directory,
        id=unpacked.id[:ID_CHARACTERS],
        outcome=_outcome(unpacked),
    )
    text = tr(
        "{bundle}, {files} files, {size}{left_out}{shared}",
        bundle=bundle,
        files=unpacked.files,
        size=human_bytes(unpacked.content_bytes),
        left_out=left_out,
        shared=shared,
    )
    return "\n".join(filter(None, (unpacked.removed.sentence, text, verdict.sentence)))


def _value(unpacked: Unpacked, verdict: SignatureVerdict) -> dict[str, Json]:
    return {
        "directory": str(unpacked.directory),
        "bundle": unpacked.id,
        "present": unpacked.present,
        "files": unpacked.files,
        "content_bytes": unpacked.content_bytes,
        "linked_bytes": unpacked.linked_bytes,
        "left_out": unpacked.left_out,
        "removed_bytes": unpacked.removed.bytes,
        **signature_value(verdict),
    }
