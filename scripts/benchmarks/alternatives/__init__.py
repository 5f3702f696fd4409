"""What a library sees and answers where a reader of our own stands: the figures of docs/adr/0017 to 0019.

Each module has one subject and yields rows; none judges, for a release of a library may close the gap.
"""

from __future__ import annotations

import platform
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

SUMMARY = "what tarfile, rpm-rs and docker-py make of what our own readers read"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare no options: it takes seconds."""
    del parser


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    del arguments
    # loaded here: the process of every other benchmark has to stay small (`measure.run_once`)
    from scripts.benchmarks.alternatives import docker_logins, rpm_packages, tar_archives

    print(f"Python {platform.python_version()}, rpm-rs {version('rpm-rs')}, docker-py {version('docker')}\n")
    print("| | ours | the library's | of |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="bundler-alternatives-") as name:
        for subject in (tar_archives, rpm_packages, docker_logins):
            for row in subject.rows(Path(name)):
                print(f"| {row.name} | {row.ours} | {row.theirs} | {row.of} |")
