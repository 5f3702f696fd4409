"""`bundler remove`: a bundle of a root, with everything that no other bundle holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.archive.bundle_removal import remove_bundle
from bundler.archive.bundle_root import chosen, opened_root
from bundler.cli.options import json_option, option, root_option
from bundler.model.size_text import human_bytes
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json


@click.command()
@click.argument("bundle")
@root_option
@option("--deactivate", is_flag=True, help=tr("Also when it is the active one; nothing is active then."))
@json_option
def remove(bundle: str, root: Path, deactivate: bool, as_json: bool) -> None:
    """Remove BUNDLE from a root.

    BUNDLE is a name that `bundler bundles` shows, or the beginning of its id. What other bundles share with it stays.
    """
    with opened_root(root) as opened:
        name = chosen(opened, bundle)
        removed = remove_bundle(opened, name, deactivate=deactivate)
    text = tr(
        "{root}: removed, {count} files, {size} freed",
        root=root / name,
        count=removed.count,
        size=human_bytes(removed.bytes),
    )
    value: dict[str, Json] = {"root": str(root), "removed": name, "files": removed.count, "freed_bytes": removed.bytes}
    console.answer(text, value, schema="bundler.remove/1", as_json=as_json)
