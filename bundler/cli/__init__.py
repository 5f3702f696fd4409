"""The `bundler` command: one file per subcommand, each body wiring only."""

from __future__ import annotations

import click

from bundler import __version__, console
from bundler.command_group import ByUse
from bundler.translation import tr

ORDER = (
    "check",
    "plan",
    "build",
    "sign",
    "lock",
    "inspect",
    "verify",
    "merge",
    "split",
    "repair",
    "unpack",
    "bundles",
    "activate",
    "remove",
    "load-images",
    "push-images",
    "robot",
    "site",
    "diff",
    "sbom",
    "report",
    "keygen",
    "trust",
    "store",
    "schema",
    "completion",
)


@click.group(
    cls=ByUse,
    home=__name__,
    order=ORDER,
    program="bundler",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="bundler", help=tr("Show the version and exit."))
def bundler() -> None:
    """Make one verified tarball of everything an air-gapped KubeEdge site needs, and check it there.

    Start with `bundler check MANIFEST` and `bundler build MANIFEST`; on the other side `tar -zxf` and
    `sha256sum -c SHA256SUMS` are enough.
    """


def main() -> int:
    """Run the command line and return its exit code."""
    return console.run(lambda: bundler(prog_name="bundler", standalone_mode=False), program="bundler")
