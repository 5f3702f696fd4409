"""`bundler bundles`: the bundles of a root, which of them is active, and what each needs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.archive.bundle_list import ListedBundle, list_bundles
from bundler.archive.bundle_root import opened_root
from bundler.cli.options import json_option, root_option
from bundler.fitted_table import GivingWay
from bundler.model.digest import ID_CHARACTERS
from bundler.model.size_text import human_bytes
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))

# the end of a bundle's directory is its id, which has a column of its own
_GIVING_WAY = {tr("BUNDLE"): GivingWay(keep="start", least=12)}


@click.command()
@root_option
@json_option
def bundles(root: Path, as_json: bool) -> None:
    """List the bundles that lie side by side below a root.

    ALONE is what removing a bundle would free; SHARED is what others hold as well.
    """
    with opened_root(root, change=False) as opened:
        listed = list_bundles(opened)
    value: dict[str, Json] = {"root": str(root), "bundles": [_value(bundle) for bundle in listed]}
    console.answer(_text(listed), value, schema="bundler.bundles/1", as_json=as_json)


def _text(listed: tuple[ListedBundle, ...]) -> str:
    now = int(time.time())
    rows = [
        (
            "*" if bundle.active else "",
            bundle.directory,
            bundle.id[:ID_CHARACTERS] or "?",
            bundle.release or "-",
            age(now - bundle.since_s),
            human_bytes(bundle.alone_bytes),
            human_bytes(bundle.shared_bytes),
            tr("{now} ago", now=age(now - bundle.verified_s)) if bundle.verified_s is not None else "-",
            bundle.fault,
        )
        for bundle in listed
    ]
    if not rows:
        return tr("no bundle is here")
    return console.table(
        ("", tr("BUNDLE"), tr("ID"), tr("RELEASE"), tr("AGE"), tr("ALONE"), tr("SHARED"), tr("VERIFIED"), ""),
        rows,
        _GIVING_WAY,
    )


def _value(bundle: ListedBundle) -> dict[str, Json]:
    return {
        "directory": bundle.directory,
        "bundle": bundle.id or None,
        "name": bundle.name,
        "release": bundle.release,
        "active": bundle.active,
        "since_s": bundle.since_s,
        "verified_s": bundle.verified_s,
        "alone_bytes": bundle.alone_bytes,
        "shared_bytes": bundle.shared_bytes,
        "fault": bundle.fault or None,
    }


def age(seconds: int) -> str:
    """Return a span of time in its largest unit, rounded down: `3 d`; what lies ahead is `0 s`."""
    unit_s, word = next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])
    return f"{max(0, seconds) // unit_s} {word}"
