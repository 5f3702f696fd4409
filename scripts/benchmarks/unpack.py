"""Row 2 of docs/design.md, 12: unpack and verify, against `tar -zxf` and then `sha256sum -c`, of the same archive."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.build import add_arguments
from scripts.benchmarks.measure import (
    MIB,
    Contender,
    in_turn,
    print_bar,
    print_machine,
    print_rates,
    run_once,
    speed_ratio,
)
from scripts.benchmarks.mixed_content import make_content

if TYPE_CHECKING:
    import argparse

__all__ = ["SUMMARY", "add_arguments", "run"]

SUMMARY = "unpack and verify an archive (peer: tar -zxf, then sha256sum -c)"
OURS, PEER = "bundler unpack", "tar -zxf, then sha256sum -c"
MIN_SPEED = 1.5
PEER_COMMAND = 'mkdir "$2" && cd "$2" && tar -zxf "$1" && sha256sum -c --quiet SHA256SUMS'


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        content = make_content(directory, arguments.size * MIB)
        content_bytes = content.content_bytes
        archive, ours, theirs = directory / "bench.tar.gz", directory / "ours", directory / "theirs"
        once = [sys.executable, "-m", "scripts.benchmarks.once"]
        run_once([*once, "assemble", str(content.store), str(archive)])
        contenders = (
            Contender(
                OURS, [*once, "unpack", str(archive), str(ours)], lambda: shutil.rmtree(ours, ignore_errors=True)
            ),
            Contender(
                PEER,
                ["sh", "-c", PEER_COMMAND, "sh", str(archive), str(theirs)],
                lambda: shutil.rmtree(theirs, ignore_errors=True),
            ),
        )
        runs = in_turn(contenders, arguments.rounds)
    speed = speed_ratio(runs, OURS, PEER)
    print_machine(arguments.rounds, content_bytes, arguments.directory)
    print_rates(runs, content_bytes)
    print("\n| bundler compared with its peer | | bar | |\n|---|---|---|---|")
    print_bar("speed", speed, "x", f">= {MIN_SPEED}x", met=speed >= MIN_SPEED)
