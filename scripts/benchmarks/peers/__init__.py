"""The whole way beside programs that users know: build, fetch, push, and serve the same bytes, all in one run.

Nothing is judged against a bar here; what is compared is said in docs/benchmarks.md. A peer that is not installed is
named, with the command that installs it, and its row is left out.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import MIB, print_machine
from scripts.benchmarks.peers.programs import GO_PROGRAMS, install_go_programs, install_line, missing

if TYPE_CHECKING:
    import argparse

SUMMARY = "build, fetch, push and serve beside crane, regctl, skopeo, registries, nginx, caddy and http.server"
SUBJECTS = ("build", "fetch", "push", "blobs")
PROGRAMS = (*GO_PROGRAMS, "skopeo", "docker-registry", "nginx", "curl", "createrepo_c", "pigz")
BLOB_SHARE = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--size", type=int, default=1024, metavar="MIB", help="of the whole content (default 1024)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement of blobs (default 2)")
    parser.add_argument(
        "--only", nargs="+", choices=SUBJECTS, default=SUBJECTS, metavar="SUBJECT", help="of these only"
    )
    parser.add_argument("--install", action="store_true", help="build the Go programs that are missing, into a cache")
    parser.add_argument("--directory", default="/dev/shm", help="where to work (default /dev/shm: no disk is measured)")  # noqa: S108 - the point is a file system in memory


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    # loaded here: the process of every other benchmark has to stay small (`measure.run_once`)
    from scripts.benchmarks.peers.blobs import blob_rates, print_rates
    from scripts.benchmarks.peers.content import make_content
    from scripts.benchmarks.peers.rows import print_timed
    from scripts.benchmarks.peers.transfers import timed_rows

    if arguments.install:
        install_go_programs()
    size = arguments.size * MIB
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        # the mirror's workers become somebody else
        directory.chmod(0o755)
        print_machine(arguments.rounds, size, arguments.directory)
        if set(arguments.only) - {"blobs"}:
            content = make_content(directory, size)
            print_timed(timed_rows(content, directory, arguments.only, arguments.rounds))
            print()
    if "blobs" in arguments.only:
        with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
            directory = Path(name)
            directory.chmod(0o755)
            # in whole MiB
            print_rates(
                blob_rates(directory, max(1, arguments.size // BLOB_SHARE) * MIB, arguments.rounds, arguments.seconds)
            )
    for program in missing(PROGRAMS):
        print(f"\nleft out, because {program} is not installed: {install_line(program)}")
