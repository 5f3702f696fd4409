"""`bundler plan`: the cost of a build, before it begins."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.carry_options import base_option
from bundler.cli.options import NetworkOptions, json_option, network_options, request_options, store_option
from bundler.cli.wiring import open_build_context
from bundler.columns import padded, width
from bundler.fitted_table import GivingWay
from bundler.model.artifact import table_order
from bundler.model.size_text import human_bytes
from bundler.pipeline.bases import open_bases
from bundler.pipeline.building import plan_build
from bundler.pipeline.planning import Plan, PlannedFetch, file_size_warning, require_room
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bundler.model.json_value import Json
    from bundler.pipeline.context import Request, Room

_GIVING_WAY = {tr("NAME"): GivingWay(keep="end")}


@click.command()
@request_options(keep_going=False)
@store_option
@network_options
@base_option
@json_option
def plan(
    request: Request,
    jobs: int | None,
    store: Path,
    network: NetworkOptions,
    bases: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show what a build of MANIFEST would cost.

    That is what it fetches, what the store has already and the room it needs; exit 11 when the disk cannot hold it.
    Without a lock the upstreams are asked for sizes; nothing large is downloaded. With --base, which needs a lock, it
    tells what a delta would carry.
    """
    request = replace(request, bases=open_bases(bases))
    with open_build_context(store, network, request.manifest.parent, jobs=jobs, quiet=True) as context:
        found, store_room, output_room = plan_build(request, context)
    lines = _lines(found, store_room, output_room)
    value = partial(_value, found, store_room, output_room)
    console.answer(lines, value, schema="bundler.plan/1", as_json=as_json)
    require_room(found, store_room, output_room)


def _lines(plan: Plan, store: Room, output: Room) -> Iterator[str]:
    human = human_bytes
    yield from console.table_lines((tr("KIND"), tr("FETCH"), tr("PRESENT"), tr("NAME")), _rows(plan), _GIVING_WAY)
    yield ""
    sums = [
        (tr("in all"), human(plan.total_bytes)),
        (tr("to fetch"), human(plan.fetch_bytes)),
        (tr("in the store"), human(plan.present_bytes)),
        (tr("temporary, peak"), human(plan.scratch_bytes)),
        (tr("archive, at most"), human(plan.archive_bytes)),
        (tr("free for store"), f"{human(store.free_bytes)}  {store.directory}"),
        (tr("free for archive"), f"{human(output.free_bytes)}  {output.directory}"),
        *((tr("size unknown"), label) for label in plan.unknown),
    ]
    columns = max(width(name) for name, _ in sums)
    yield from (f"{padded(name, columns)} {value}" for name, value in sums)
    yield from _share_lines(plan)
    yield from _remarks(plan, output)


def _share_lines(plan: Plan) -> Iterator[str]:
    if plan.shares:
        rows = [(share.kind, human_bytes(share.carried_bytes), human_bytes(share.left_bytes)) for share in plan.shares]
        yield ""
        yield from console.table_lines((tr("KIND"), tr("TO CARRY"), tr("IN THE BASE")), rows)


def _remarks(plan: Plan, output: Room) -> list[str]:
    return [*plan.remarks, *filter(None, [file_size_warning(plan, output, None)])]


def _rows(plan: Plan) -> list[tuple[str, str, str, str]]:
    """Return a line for each artifact; shared content is counted for the first one."""
    groups: dict[tuple[str, str], list[PlannedFetch]] = {}
    for item in plan.fetches:
        first = item.fetch.artifacts[0] if item.fetch.artifacts else item.fetch.label
        groups.setdefault((item.kind, first), []).append(item)
    return [
        (kind, _bytes(items, present=False), _bytes(items, present=True), items[0].fetch.title or name)
        for (kind, name), items in sorted(groups.items(), key=lambda group: table_order(*group[0]))
    ]


def _bytes(items: Sequence[PlannedFetch], *, present: bool) -> str:
    count = sum(item.fetch.transfer_bytes for item in items if item.present == present)
    return human_bytes(count) if count else "-"


def _value(plan: Plan, store: Room, output: Room) -> dict[str, Json]:
    return {
        "total_bytes": plan.total_bytes,
        "fetch_bytes": plan.fetch_bytes,
        "present_bytes": plan.present_bytes,
        "scratch_bytes": plan.scratch_bytes,
        "archive_bytes": plan.archive_bytes,
        "unknown": list(plan.unknown),
        "remarks": _remarks(plan, output),
        "shares": [
            {"kind": share.kind, "carried_bytes": share.carried_bytes, "left_bytes": share.left_bytes}
            for share in plan.shares
        ],
        "store": {"directory": store.directory, "free_bytes": store.free_bytes},
        "output": {
            "directory": output.directory,
            "free_bytes": output.free_bytes,
            "max_file_bytes": output.max_file_bytes,
        },
        "fetches": [
            {
                "kind": item.kind,
                "name": item.fetch.label,
                "bytes": item.fetch.transfer_bytes,
                "present": item.present,
            }
            for item in plan.fetches
        ],
    }
