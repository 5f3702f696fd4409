"""`bundler site init`: write the site's description to begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import FILE, json_option
from bundler.errors import ErrorId, SiteError
from bundler.host.local_host import LocalHost
from bundler.site.config.template import seen_on, site_template
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json

_MODE = 0o600


@click.command()
@click.argument("file", type=FILE, default="site.yaml")
@json_option
def init(file: Path, as_json: bool) -> None:
    """Write a commented site.yaml, filled in with what this host shows; never over a file that is there.

    Run it on the master, look over what it wrote, and add the edges.
    """
    host, path = LocalHost(), str(file.absolute())
    if host.exists(path):
        raise SiteError(
            ErrorId.SITE_CONFIG_EXISTS,
            tr("is there already"),
            where=str(file),
            remedy=tr("Edit it, or name another."),
            step="",
        )
    seen = seen_on(host)
    host.write(path, site_template(seen).encode(), _MODE)
    value: dict[str, Json] = {"file": path, "cloud": seen.name, "addresses": list(seen.addresses)}
    text = tr("{file} is written; add the edges to it, then: bundler site check-config", file=file)
    console.answer(text, value, schema="bundler.site-init/1", as_json=as_json)
