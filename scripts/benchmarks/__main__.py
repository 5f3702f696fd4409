"""Choose a benchmark. To add one: a module with `SUMMARY`, `add_arguments(parser)` and `run(arguments)`, named here."""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys

COMMANDS = (
    "start",
    "build",
    "unpack",
    "carry",
    "fetch",
    "push",
    "rpms",
    "serve",
    "framework",
    "ftp",
    "registry",
    "alternatives",
    "recompressors",
    "sbom",
    "growth",
    "kubeedge",
    "peers",
    "plots",
)


def main() -> None:
    """Run the benchmark that the command line names."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure ours against the peer.")
    commands = parser.add_subparsers(required=True, metavar="BENCHMARK")
    for name in COMMANDS:
        module = importlib.import_module(f"scripts.benchmarks.{name}")
        command = commands.add_parser(name, help=module.SUMMARY, description=module.SUMMARY)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    arguments = parser.parse_args()
    # as pip does for a package that it installs; a checkout has byte code only where it may be written on the way
    subprocess.run([sys.executable, "-m", "compileall", "-q", "bundler", "mirror"], check=True)
    try:
        arguments.run(arguments)
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"scripts/bench: a program that is measured failed: {error}\n{error.stderr or ''}") from error


if __name__ == "__main__":
    main()
