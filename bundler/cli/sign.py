"""`bundler sign`: a signature of a bundle that is there, or of a rotation of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.carry_options import part_dir_option
from bundler.cli.options import FILE, json_option, option
from bundler.cli.signers import command_signers, key_signers, sign_option
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundler.archive.part_set import PartPlaces
    from bundler.model.json_value import Json
    from bundler.model.progress import Task
    from bundler.trust.interface import Signer

ROTATION_SUFFIX = ".json"


@click.command()
@click.argument("source", type=FILE)
@sign_option
@option(
    "--sign-command",
    default="",
    metavar="COMMAND",
    help=tr("A program that signs what it reads, and prints DER; with --key. BUNDLER_SIGN_SHA256 has the digest."),
)
@option(
    "--key",
    "keys",
    variable="BUNDLER_SIGN_COMMAND_KEY",
    multiple=True,
    type=FILE,
    metavar="PEM",
    help=tr("The public half of what --sign-command uses."),
)
@part_dir_option
@json_option
def sign(
    source: Path,
    signing_keys: tuple[Path, ...],
    sign_command: str,
    keys: tuple[Path, ...],
    places: PartPlaces,
    as_json: bool,
) -> None:
    """Sign SOURCE: an archive, one of its parts or their directory, an unpacked tree, or a rotation of keys (*.json).

    Every byte of a bundle is read before it is signed. An archive does not change: its signatures lie beside it, and
    those of several people, who may sign one after the other, count together. Those of parts lie where SOURCE lies.
    """
    signers = (*key_signers(signing_keys), *command_signers(sign_command, keys))
    if not signers:
        raise click.UsageError(tr("give a private key with --sign, or a command with --sign-command"))
    with console.progress(quiet=as_json) as progress:
        task = progress.task(source.name, None)
        written = _signed(source, signers, task, places)
        task.finish(tr("signed"))
    console.answer("\n".join(map(str, written)), _value(written, signers), schema="bundler.sign/1", as_json=as_json)


def _signed(source: Path, signers: Sequence[Signer], task: Task, places: PartPlaces) -> list[Path]:
    from bundler.archive.signing import sign_bundle, sign_file
    from bundler.trust.rotating import read_rotation

    if source.suffix == ROTATION_SUFFIX:
        return sign_file(source, read_rotation(source), signers)
    return sign_bundle(source, signers, task, places)


def _value(written: Sequence[Path], signers: Sequence[Signer]) -> dict[str, Json]:
    return {"signatures": [str(path) for path in written], "keys": [signer.key.id for signer in signers]}
