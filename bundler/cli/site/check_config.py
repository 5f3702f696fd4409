"""`bundler site check-config`: read the site's description and report all of its problems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import json_option, option
from bundler.cli.site.site_options import config_option, load_site
from bundler.site.config.schema import site_schema
from bundler.translation import tr, tr_plural

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json


@click.command("check-config")
@config_option
@option(
    "--schema", variable="BUNDLER_SITE_SCHEMA", is_flag=True, help=tr("Print the JSON schema (draft 2020-12) instead.")
)
@json_option
def check_config(config: Path | None, schema: bool, as_json: bool) -> None:
    """Report every problem of site.yaml, with its line; changes nothing."""
    if schema:
        console.say(json.dumps(site_schema(), indent=2, ensure_ascii=False))
        return
    site = load_site(config)
    edges = [host.name for host in site.edges]
    hosts = tr_plural("{name} and {count} edge host", "{name} and {count} edge hosts", len(edges), name=site.cloud.name)
    text = tr(
        "{hosts}; registry {registry_address} ({kind})",
        hosts=hosts,
        registry_address=site.registry_address,
        kind=site.registry.kind,
    )
    value: dict[str, Json] = {"cloud": site.cloud.name, "edges": edges, "registry": site.registry_address}
    console.answer(text, value, schema="bundler.site-config/1", as_json=as_json)
