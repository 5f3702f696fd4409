"""`bundler site token`: a fresh join token, alone on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.options import json_option
from bundler.cli.site.site_options import config_option, load_site
from bundler.host.local_host import LocalHost
from bundler.site.join_token import fresh_token

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.json_value import Json


@click.command()
@config_option
@json_option
def token(config: Path | None, as_json: bool) -> None:
    """Print a join token that is valid for at most a day. On the master, where the kubeconfig lies.

    It is kept nowhere: hand it to the edge in a file that only root can read, and remove that once it has joined.
    """
    found = fresh_token(LocalHost(), load_site(config).kubeedge.kubeconfig)
    value: dict[str, Json] = {"token": found.text, "authority": found.authority, "expires": found.expires}
    console.answer(found.text, value, schema="bundler.site-token/1", as_json=as_json)
