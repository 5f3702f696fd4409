"""`bundler lock`: pin the entries of a manifest."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.diff import diff_lines, diff_value
from bundler.cli.options import (
    NetworkOptions,
    jobs_option,
    json_option,
    keep_going_option,
    manifest_argument,
    network_options,
    option,
    set_option,
    store_option,
)
from bundler.cli.wiring import open_build_context
from bundler.model.diff import lock_versions
from bundler.model.lock import Lock
from bundler.model.size_text import human_bytes
from bundler.pipeline.building import update_lock
from bundler.pipeline.context import Request
from bundler.pipeline.opened_lock import lock_path
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@manifest_argument
@option(
    "--update",
    multiple=True,
    metavar="NAME",
    help=tr("Pin this entry anew: its path or reference; of RPMs a package or repo id (globs, repeatable)."),
)
@set_option
@jobs_option
@keep_going_option
@store_option
@network_options
@json_option
def lock(
    manifest: Path,
    update: tuple[str, ...],
    overrides: dict[str, str],
    jobs: int | None,
    keep_going: bool,
    store: Path,
    network: NetworkOptions,
    as_json: bool,
) -> None:
    """Write MANIFEST's lock, and show what changed.

    The lock is STEM.lock.json beside STEM.yaml. Entries that mean the same as before keep their
    pins; --update moves them.
    """
    base, tell = manifest.parent, console.timed()
    with open_build_context(store, network, base, jobs=jobs, keep_going=keep_going, quiet=False) as context:
        previous, new = update_lock(Request(manifest, overrides), context, update)
    tell(tr("locked"), tr("{size} in the bundle", size=human_bytes(sum(blob.size for blob in new.blobs))))
    empty = Lock(new.manifest, new.platforms, new.variables, ())
    before, after = lock_versions(previous or empty), lock_versions(new)
    lines = diff_lines(before, after)
    first = f"{lock_path(manifest)}: {next(lines)}"
    value = partial(diff_value, before, after)
    console.answer(chain((first,), lines), value, schema="bundler.lock/1", as_json=as_json)
