"""`bundler activate`: which bundle of a root is the one that is served and used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.archive.bundle_root import chosen, opened_root
from bundler.archive.bundle_signatures import tree_verdict
from bundler.cli.options import json_option, root_option
from bundler.cli.trust_options import admission_option, read_admission
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json


@click.command()
@click.argument("bundle")
@root_option
@admission_option
@json_option
def activate(bundle: str, root: Path, keys: tuple[Path, ...], allow_unsigned: bool, as_json: bool) -> None:
    """Let `current` lead to BUNDLE, in one step.

    BUNDLE is a name that `bundler bundles` shows, or the beginning of its id; `.` for the root itself, as tar left it.
    Rolling back is activating the older one, however old it is. One whose description is damaged is refused. A mirror
    that serves the root follows by itself.
    """
    admission = read_admission(keys, allow_unsigned=allow_unsigned)
    with opened_root(root) as opened:
        name, before = chosen(opened, bundle), opened.current()
        # what cannot be read would be served by nobody
        tree_verdict(opened.path / name, admission)
        if name != before:
            opened.activate(name)
    changed = name != before
    rest = f", {before} was" if changed and before else ""
    text = tr("{root}: {name} is active{rest}", root=root, name=name, rest=rest if changed else tr(" already"))
    value: dict[str, Json] = {"root": str(root), "active": name, "before": before, "changed": changed}
    console.answer(text, value, schema="bundler.activate/1", as_json=as_json)
