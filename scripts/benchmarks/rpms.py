"""Two rows of docs/design.md, 12: repodata of 5,000 packages against createrepo_c, and a closure against dnf."""

from __future__ import annotations

import json
import random
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import rpm_rs

from scripts.benchmarks.measure import MIB, Contender, TimedRun, in_turn, print_bar, print_machine, speed_ratio
from scripts.benchmarks.rpms_closure import print_closure, run_closure

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

SUMMARY = "repodata of packages (peer: createrepo_c), closure of package specs (peer: dnf repoquery --resolve)"
OURS, PEER, PEER_XML = "bundler", "createrepo_c", "createrepo_c --no-database"
MIN_SPEED = 1
BUILT_S = 1_600_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--packages", type=int, default=5000, metavar="N", help="packages (default 5000)")
    parser.add_argument("--payload", type=int, default=16, metavar="KIB", help="mean payload of a package (default 16)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--directory", default="/dev/shm", help="where to work (default /dev/shm: no disk is measured)")  # noqa: S108 - the point is a file system in memory


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        rpms = directory / "rpms"
        content_bytes = make_packages(rpms, arguments.packages, arguments.payload * 1024)
        written, listing = directory / "ours", directory / "packages.json"
        once = [sys.executable, "-m", "scripts.benchmarks.once_rpms"]
        # the digests come with the lock, and are not ours to find out
        listing.write_text(json.dumps(sorted(map(str, rpms.glob("*.rpm")))))
        in_turn([Contender("digests", [*once, "digests", str(listing)], lambda: None)], 1)

        def clean() -> None:
            shutil.rmtree(rpms / "repodata", ignore_errors=True)
            shutil.rmtree(written, ignore_errors=True)

        contenders = (
            Contender(OURS, [*once, "repodata", str(listing), str(written)], clean),
            Contender(PEER, ["createrepo_c", "--quiet", str(rpms)], clean),
            Contender(PEER_XML, ["createrepo_c", "--quiet", "--no-database", str(rpms)], clean),
        )
        runs = in_turn(contenders, arguments.rounds)
        rows = run_closure(directory, arguments.rounds)
    print_machine(arguments.rounds, content_bytes, arguments.directory)
    print(f"repodata of {arguments.packages} packages\n")
    print_seconds(runs)
    print("\n| bundler compared with its peer | | bar | |\n|---|---|---|---|")
    speed = speed_ratio(runs, OURS, PEER)
    print_bar("speed", speed, "x", f">= {MIN_SPEED}x", met=speed >= MIN_SPEED)
    # not the bar, but the fairer comparison: ours writes no SQLite
    without = speed_ratio(runs, OURS, PEER_XML)
    print_bar("speed, without SQLite on its side either", without, "x", f">= {MIN_SPEED}x", met=without >= MIN_SPEED)
    print("\nclosure\n")
    for row in rows:
        print_closure(row)


def print_seconds(runs: Mapping[str, list[TimedRun]]) -> None:
    """Print a table row for every contender."""
    print("| | median | quickest to slowest | peak memory |")
    print("|---|---|---|---|")
    for name, of_one in runs.items():
        seconds = sorted(run.seconds for run in of_one)
        peak = max(run.peak_bytes for run in of_one) / MIB
        spread = f"{seconds[0]:.2f} to {seconds[-1]:.2f}"
        print(f"| {name} | {statistics.median(seconds):.2f} s | {spread} | {peak:.0f} MiB |")


def make_packages(directory: Path, count: int, payload_bytes: int) -> int:
    """Make packages of 30 files, 8 dependencies and 5 changelog entries each; return the bytes of all of them."""
    directory.mkdir()
    chance = random.Random(1)  # noqa: S311 - the same packages every time, nothing secret
    for number in range(count):
        name = f"package{number:05d}"
        builder = rpm_rs.PackageBuilder(name, f"1.{number % 7}", "MIT", "x86_64", f"Package number {number}")
        compression = rpm_rs.CompressionType.NONE
        builder.using_config(
            rpm_rs.BuildConfig(format=rpm_rs.RpmFormat.V4, compression=compression, source_date=BUILT_S + number)
        )
        builder.release("1.el8")
        builder.build_host("build.example.org")
        builder.description("What it is good for, at some length. " * 10)
        for entry in range(5):
            builder.add_changelog_entry("A Person <person@example.org>", f"- change {entry}", BUILT_S - entry * 86400)
        for _ in range(8):
            builder.requires(f"package{chance.randrange(count):05d}")
        for file in range(30):
            content = chance.randbytes(chance.randrange(2 * payload_bytes // 30 + 1))
            builder.with_file_contents(content, rpm_rs.FileOptions.new(f"/usr/share/{name}/{file % 4}/file{file}"))
        builder.build().write_to(str(directory))
    return sum(path.stat().st_size for path in directory.iterdir())
