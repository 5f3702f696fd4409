"""The `mirror` command: one file per subcommand, each body wiring only."""

from __future__ import annotations

from importlib.metadata import version

import click

from bundler import console
from mirror.cli.clients import clients
from mirror.cli.serve import serve
from mirror.cli.service import service
from mirror.cli.verify import verify


@click.group(cls=console.ByUse, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("kubeedge-bundler"), prog_name="mirror")
def mirror() -> None:
    """Serve an unpacked bundle to the machines of a site, over HTTP and FTP.

    `mirror verify URL` fetches everything as a client would and compares it with what was bundled.
    """


COMMANDS: tuple[click.Command, ...] = (serve, clients, verify, service)
for command in COMMANDS:
    mirror.add_command(command)


def main() -> int:
    """Run the command line and return its exit code."""
    return console.run(lambda: mirror(standalone_mode=False))
