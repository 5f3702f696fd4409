"""The `bundler` command: one file per subcommand, each body wiring only."""

from __future__ import annotations

from importlib.metadata import version

import click

from bundler import console
from bundler.cli.build import build
from bundler.cli.check import check
from bundler.cli.diff import diff
from bundler.cli.inspect import inspect
from bundler.cli.load_images import load_images
from bundler.cli.lock import lock
from bundler.cli.plan import plan
from bundler.cli.push_images import push_images
from bundler.cli.schema import schema
from bundler.cli.store import store
from bundler.cli.unpack import unpack
from bundler.cli.verify import verify


@click.group(cls=console.ByUse, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("kubeedge-bundler"), prog_name="bundler")
def bundler() -> None:
    """Make one verified tarball of everything an air-gapped KubeEdge site needs, and check it there.

    Start with `bundler check MANIFEST` and `bundler build MANIFEST`; on the other side `tar -zxf` and
    `sha256sum -c SHA256SUMS` are enough.
    """


for command in (check, plan, build, lock, inspect, verify, unpack, load_images, push_images, diff, store, schema):
    bundler.add_command(command)


def main() -> int:
    """Run the command line and return its exit code."""
    return console.run(lambda: bundler(standalone_mode=False))
