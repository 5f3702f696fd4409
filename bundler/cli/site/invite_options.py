"""Options of the commands that invite and that come."""

from __future__ import annotations

import click

from bundler.cli.options import option
from bundler.site.invitation.listener import DEFAULT_PORT
from bundler.translation import tr

MAX_PORT = 65535
MAX_MINUTES = 7 * 24 * 60

port_option = option(
    "--port",
    variable="BUNDLER_SITE_INVITE_PORT",
    type=click.IntRange(1, MAX_PORT),
    default=DEFAULT_PORT,
    show_default=True,
    help=tr("Port of `bundler site invite` on the master."),
)
