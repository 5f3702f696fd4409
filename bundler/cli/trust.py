"""`bundler trust`: whom this host believes, how others take their place, and a tree that tar has left let in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import FILE, json_option, option
from bundler.cli.trust_options import admission_option, older_option, read_admission, signature_value
from bundler.command_group import ByUse
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.model.json_value import Json
    from bundler.trust.rotating import RotatedKeys
    from bundler.trust.rotation import RotationDocument
    from bundler.trust.seen_releases import SeenReleases
    from bundler.trust.trusted_key import TrustedKey
    from bundler.trust.trusted_keys import TrustedKeys


@click.group(cls=ByUse)
def trust() -> None:
    """See and change whose signatures this host believes: /etc/bundler/trusted.d."""


@trust.command(name="list")
@option(
    "--directory",
    variable="BUNDLER_TRUSTED",
    type=FILE,
    help=tr("Another one than /etc/bundler/trusted.d, such as is meant for other hosts."),
)
@json_option
def list_trust(directory: Path | None, as_json: bool) -> None:
    """Show the trusted keys, how many have to sign, and the newest release of each bundle that was brought in."""
    from bundler.trust.seen_file import read_seen
    from bundler.trust.seen_releases import SeenReleases
    from bundler.trust.trusted_directory import TRUSTED_DIRECTORY, read_trusted

    trusted, seen = read_trusted(directory or TRUSTED_DIRECTORY), read_seen() or SeenReleases()
    console.answer(
        _list_text(trusted, seen), _list_value(trusted, seen), schema="bundler.trust-list/1", as_json=as_json
    )


def _list_text(trusted: TrustedKeys, seen: SeenReleases) -> str:
    if not trusted.keys:
        return tr("no key is trusted here, and bundles need not be signed")
    names = tr(", named {listed}", listed=tr(" or ").join(trusted.names)) if trusted.names else ""
    lines = [
        tr(
            "{threshold} of these {count} have to sign a bundle{names}:",
            threshold=trusted.threshold,
            count=len(trusted.keys),
            names=names,
        )
    ]
    lines += [f"  {key.title}" for key in trusted.keys]
    if not trusted.has_policy:
        lines.append(tr("no policy is here: older releases are brought in as well"))
    lines += [
        tr("newest of {name}: {release}", name=name, release=bundle.release or tr("no release"))
        for name, bundle in sorted(seen.newest.items())
    ]
    return "\n".join(lines)


def _list_value(trusted: TrustedKeys, seen: SeenReleases) -> dict[str, Json]:
    return {
        "keys": [_key_value(key) for key in trusted.keys],
        "threshold": trusted.needed,
        "names": list(trusted.names),
        "policy": trusted.has_policy,
        "newest": {name: {"release": seen.release, "bundle": seen.bundle} for name, seen in seen.newest.items()},
    }


def _key_value(key: TrustedKey) -> Json:
    return {"key": key.id, "name": key.name}


@trust.command()
@click.argument("tree", type=FILE)
@admission_option
@older_option
@json_option
def admit(tree: Path, keys: tuple[Path, ...], allow_unsigned: bool, allow_older: bool, as_json: bool) -> None:
    """Ask of TREE, which tar has unpacked, what `unpack` asks of what it brings in, and keep that it was.

    That is: who has signed it, its name, and that it is no older release. install.sh does this. The files themselves
    are for `bundler verify`.
    """
    from bundler.archive.bundle_signatures import tree_verdict
    from bundler.archive.tree import tree_index
    from bundler.trust.entry_rule import EntryRule
    from bundler.trust.seen_releases import SeenBundle

    rule = EntryRule(read_admission(keys, allow_unsigned=allow_unsigned), allow_older)
    verdict, checked = tree_verdict(tree, rule.admission), tree_index(tree)
    if note := rule.require(checked.index.name, checked.index.release, checked.where):
        console.remark(note)
    rule.record(verdict, checked.index.name, SeenBundle(checked.index.release, checked.id))
    value: dict[str, Json] = {"bundle": checked.id, **signature_value(verdict)}
    console.answer(f"{tree}: {verdict.sentence}", value, schema="bundler.trust-admit/1", as_json=as_json)


@trust.command()
@click.argument("keys", type=FILE, nargs=-1, required=True, metavar="PEM...")
@option("--threshold", type=click.IntRange(1), default=1, show_default=True, help=tr("How many of them have to sign."))
@option("--number", type=click.IntRange(1), required=True, help=tr("Greater than that of every earlier document."))
@option(
    "-o",
    "--output",
    variable="BUNDLER_ROTATION_FILE",
    type=FILE,
    default=Path("keys.json"),
    show_default=True,
    help=tr("The document's file."),
)
@json_option
def draft(keys: tuple[Path, ...], threshold: int, number: int, output: Path, as_json: bool) -> None:
    """Write a document by which these keys take the place of those that hosts trust so far.

    Those who hold the old keys sign it with `bundler sign`, as many as hosts ask for, and `bundler trust rotate`
    follows it there.
    """
    from bundler.trust.rotating import write_rotation
    from bundler.trust.rotation import draft_rotation
    from bundler.trust.trusted_directory import read_public_key

    try:
        document = draft_rotation(tuple(map(read_public_key, keys)), threshold, number)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    write_rotation(output, document)
    console.answer(
        f"{output}: {_rotation_text(document)}",
        _rotation_value(document),
        schema="bundler.trust-draft/1",
        as_json=as_json,
    )


def _rotation_text(document: RotationDocument) -> str:
    keys = ", ".join(key.title for key in document.keys)
    return tr(
        "rotation {number}: {threshold} of {keys}", number=document.number, threshold=document.threshold, keys=keys
    )


def _rotation_value(document: RotationDocument) -> dict[str, Json]:
    keys = [_key_value(key) for key in document.keys]
    return {"number": document.number, "threshold": document.threshold, "keys": keys}


@trust.command()
@click.argument("document", type=FILE)
@json_option
def rotate(document: Path, as_json: bool) -> None:
    """Follow DOCUMENT, whose signatures lie beside it: its keys count from now on, and no others."""
    from bundler.trust.rotating import rotate as follow

    rotated = follow(document)
    text = "\n".join(
        (_rotation_text(rotated.document), *(tr("dropped: {title}", title=key.title) for key in rotated.dropped))
    )
    console.answer(text, _rotated_value(rotated), schema="bundler.trust-rotate/1", as_json=as_json)


def _rotated_value(rotated: RotatedKeys) -> dict[str, Json]:
    return {**_rotation_value(rotated.document), "dropped": [_key_value(key) for key in rotated.dropped]}
