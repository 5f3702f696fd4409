"""The `mirror` command's place: its release is still to come, and until then the command says so."""

from __future__ import annotations

import sys

EXIT_USAGE = 2


def main() -> None:
    """Say that there is nothing to serve with yet, and end as for a wrong command line."""
    sys.stderr.write(
        "mirror: serving a bundle comes with its own release; this one builds, checks and unpacks bundles.\n"
        "  Use `bundler --help`, or serve the unpacked tree with any web server.\n"
    )
    raise SystemExit(EXIT_USAGE)
