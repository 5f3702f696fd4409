"""`bundler load-images`: the images of an unpacked bundle into this host's container engine."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.engine import open_engine
from bundler.cli.options import json_option, one_platform_option, only_option, root_option
from bundler.fitted_table import GivingWay, short_digests
from bundler.model.size_text import human_bytes
from bundler.outcome_words import shown_word
from bundler.push.loading import LoadOutcome, LoadReport, require_loaded
from bundler.push.loading import load_images as load
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json
    from bundler.model.platform import Platform
    from bundler.push.loading import LoadResult

_GIVING_WAY = {
    tr("image id"): GivingWay(short_digests),
    tr("names"): GivingWay(keep="end", least=40),
}


@click.command("load-images")
@root_option
@only_option
@one_platform_option
@json_option
def load_images(root: Path, only: tuple[str, ...], platform: Platform | None, as_json: bool) -> None:
    """Load a bundle's images into the Docker engine of this host.

    The engine is the one that DOCKER_HOST names, or the local one. Images that it has already are left alone; one that
    fails does not keep the others back.
    """
    tell = console.timed(quiet=as_json)
    kept = console.kept_when_interrupted(tr("Images that were loaded stay, and are not loaded again."))
    with kept, console.progress(quiet=as_json) as progress, open_engine() as engine:
        report = load(root, engine, progress, only=only, platform=platform)
    loaded = [one.image.size for one in report.results if one.outcome is LoadOutcome.LOADED]
    tell(tr("done"), tr("{count} images loaded, {size}", count=len(loaded), size=human_bytes(sum(loaded))))
    require = partial(require_loaded, report)
    console.answer(_text(report), _value(report), schema="bundler.load/1", as_json=as_json, require=require)


def _text(report: LoadReport) -> str:
    rows = [
        (shown_word(one.outcome), str(one.image.platform), str(one.image.image_id), " ".join(map(str, one.image.names)))
        for one in report.results
    ]
    lines = [console.table((tr("outcome"), tr("platform"), tr("image id"), tr("names")), rows, _GIVING_WAY)]
    lines += [tr("not there for this platform: {names}", names=" ".join(map(str, names))) for names in report.elsewhere]
    counted = [
        f"{sum(one.outcome == outcome for one in report.results)} {shown_word(outcome)}" for outcome in LoadOutcome
    ]
    return "\n".join([*lines, ", ".join(counted)])


def _value(report: LoadReport) -> dict[str, Json]:
    return {
        "engine": report.engine,
        "images": [_image(one) for one in report.results],
        "elsewhere": [[str(name) for name in names] for names in report.elsewhere],
    }


def _image(one: LoadResult) -> Json:
    failure: Json = {"id": str(one.failure.id), "text": str(one.failure)} if one.failure else None
    return {
        "names": [str(name) for name in one.image.names],
        "platform": str(one.image.platform),
        "image_id": str(one.image.image_id),
        "manifest": str(one.image.manifest.digest),
        "digest": str(one.image.digest),
        "bytes": one.image.size,
        "outcome": str(one.outcome),
        "error": failure,
    }
