"""`bundler store`: show the content store, and remove what no lock needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import FILE, json_option, store_option
from bundler.command_group import ByUse
from bundler.model.size_text import human_bytes
from bundler.pipeline.opened_lock import read_contents
from bundler.store.blobs import Store
from bundler.store.disk_usage import StoreUsage, store_usage
from bundler.store.prune import Pruned
from bundler.store.prune import prune as prune_store
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json


@click.group(cls=ByUse)
def store() -> None:
    """Look after the content store."""


@store.command()
@store_option
@json_option
def info(store: Path, as_json: bool) -> None:
    """Show the store's size and unfinished downloads."""
    contents = store_usage(Store(store))
    console.answer(_text(contents), _value(contents), schema="bundler.store-info/1", as_json=as_json)


@store.command()
@click.argument("locks", type=FILE, nargs=-1, required=True)
@store_option
@json_option
def prune(locks: tuple[Path, ...], store: Path, as_json: bool) -> None:
    """Remove what none of LOCKS needs from the store.

    LOCKS are lock files (*.json), archives or unpacked trees.
    """
    keep = frozenset(blob for path in locks for blob in read_contents(str(path)).lock.blobs)
    pruned = prune_store(Store(store), keep)
    text = tr("removed {count} files, {size}", count=pruned.count, size=human_bytes(pruned.bytes))
    console.answer(text, _pruned_value(pruned), schema="bundler.store-prune/1", as_json=as_json)


def _text(contents: StoreUsage) -> str:
    lines = [
        tr("{path}: {count} files, {size}", path=contents.path, count=contents.count, size=human_bytes(contents.bytes))
    ]
    lines += [
        tr("unfinished: {name}, {size} so far", name=partial.name, size=human_bytes(partial.bytes))
        for partial in contents.partial
    ]
    return "\n".join(lines)


def _value(contents: StoreUsage) -> dict[str, Json]:
    return {
        "path": str(contents.path),
        "count": contents.count,
        "bytes": contents.bytes,
        "partial": [{"name": partial.name, "bytes": partial.bytes} for partial in contents.partial],
    }


def _pruned_value(pruned: Pruned) -> dict[str, Json]:
    return {"count": pruned.count, "bytes": pruned.bytes}
