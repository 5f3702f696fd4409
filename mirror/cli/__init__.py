"""The `mirror` command: one file per subcommand, each body wiring only."""

from __future__ import annotations

import click

from bundler import __version__, console
from bundler.command_group import ByUse
from bundler.translation import tr

ORDER = (
    "serve",
    "clients",
    "verify",
    "service",
    "completion",
)


@click.group(
    cls=ByUse,
    home=__name__,
    order=ORDER,
    program="mirror",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="mirror", help=tr("Show the version and exit."))
def mirror() -> None:
    """Serve an unpacked bundle to the machines of a site, over HTTP and FTP.

    `mirror verify URL` fetches everything as a client would and compares it with what was bundled.
    """


def main() -> int:
    """Run the command line and return its exit code."""
    return console.run(lambda: mirror(prog_name="mirror", standalone_mode=False), program="mirror")
