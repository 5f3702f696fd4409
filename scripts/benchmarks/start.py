"""How long the programs take to start, and a push in which all is there, beside an interpreter that does nothing."""

from __future__ import annotations

import multiprocessing
import os
import platform
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import Contender, in_turn, print_bar, run_once, speed_ratio
from scripts.benchmarks.start_runtime import BESIDE, BUNDLED, MAX_RATIO, STATES, runtime_contenders
from tests.integration.images import make_image
from tests.integration.placed_images import AMD64, place_images
from tests.integration.registries import Registry, plain_registry

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from scripts.benchmarks.measure import TimedRun

SUMMARY = "start-up of both programs, and a push in which all is there (beside python -c pass and skopeo sync)"
NOTHING, PUSH, PEER = "python -c pass", "bundler push-images, all there", "skopeo sync, all there"
VERSIONS = ("bundler --version", "mirror --version")
MAX_VERSION_MS, MAX_PUSH_MS = 60, 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--images", type=int, default=12, help="how many images are there (%(default)s)")
    parser.add_argument("--rounds", type=int, default=15, help="rounds that count (%(default)s)")
    parser.add_argument("--directory", default="/dev/shm", help="where the data lie (%(default)s)")  # noqa: S108 - see docs
    parser.add_argument("--disk", default="/var/tmp", help="where what is started cold lies (%(default)s)")  # noqa: S108 - see docs


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        # in a process of its own: a parent's memory would count as its children's peak
        fill = multiprocessing.get_context("spawn").Process(target=_fill, args=(directory, arguments.images))
        fill.start()
        fill.join()
        if fill.exitcode:
            raise SystemExit("scripts/bench: the images could not be made")
        with plain_registry(directory / "registry") as registry:
            runs = in_turn(_contenders(directory, registry), arguments.rounds)
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.disk) as name:
        started = in_turn(runtime_contenders(Path(name)), arguments.rounds)
    processors = len(os.sched_getaffinity(0))
    print(f"{processors} processors, {platform.machine()}, Python {platform.python_version()}, ", end="")
    print(f"medians of {arguments.rounds} rounds in turn; {arguments.images} images\n")
    _print_times({**runs, **started})
    print("\n| bundler | | bar | |\n|---|---|---|---|")
    for version in VERSIONS:
        _print_verdict(version, runs, MAX_VERSION_MS)
    _print_verdict(PUSH, runs, MAX_PUSH_MS)
    for state in STATES:
        ratio = 1 / speed_ratio(started, f"{BUNDLED}, {state}", f"{BESIDE}, {state}")
        what = f"{BUNDLED}, {state}, compared with a virtual environment"
        print_bar(what, ratio, "x", f"<= {MAX_RATIO}x", met=ratio <= MAX_RATIO)


def _contenders(directory: Path, registry: Registry) -> list[Contender]:
    programs = Path(sys.executable).parent
    push = ["push-images", "--registry", registry.host, "--root", str(directory / "root"), "--via", "registry"]
    sync = ["skopeo", "--insecure-policy", "sync", "--src", "dir", "--dest", "docker", "--dest-tls-verify=false"]
    commands = {NOTHING: [sys.executable, "-c", "pass"]}
    commands |= {version: [str(programs / version.split()[0]), "--version"] for version in VERSIONS}
    commands[PUSH] = [str(programs / "bundler"), *push]
    if shutil.which("skopeo"):
        commands[PEER] = [*sync, str(directory / "theirs"), f"{registry.host}/peer"]
    # the round that does not count sends everything
    return [Contender(name, command, lambda: None) for name, command in commands.items()]


def _fill(directory: Path, count: int) -> None:
    """Make the bundle, and the same images for the peer, which knows no OCI layouts, as `dir:` each."""
    names = [f"docker.io/bench/app{number}:1" for number in range(count)]
    place_images(directory / "made", dict.fromkeys(names, (AMD64,))).write_bundle(directory / "root")
    (directory / "theirs").mkdir()
    for number, name in enumerate(names if shutil.which("skopeo") else ()):
        layout = directory / "layouts" / f"app{number}"
        make_image(layout, name, platforms=["linux/amd64"])
        run_once(["skopeo", "--insecure-policy", "copy", "-q", f"oci:{layout}", f"dir:{directory}/theirs/app{number}"])


def _processor_ms(runs: list[TimedRun]) -> float:
    return statistics.median(run.processor_s for run in runs) * 1000


def _print_times(runs: Mapping[str, list[TimedRun]]) -> None:
    print("| | processor time | quickest to slowest | wall clock |")
    print("|---|---|---|---|")
    for name, of_one in runs.items():
        times = sorted(run.processor_s * 1000 for run in of_one)
        wall_ms = statistics.median(run.seconds for run in of_one) * 1000
        print(f"| {name} | {_processor_ms(of_one):.0f} ms | {times[0]:.0f} to {times[-1]:.0f} | {wall_ms:.0f} ms |")


def _print_verdict(name: str, runs: Mapping[str, list[TimedRun]], max_ms: int) -> None:
    found = _processor_ms(runs[name])
    print_bar(f"{name}, processor time", found, " ms", f"<= {max_ms} ms", met=found <= max_ms)
