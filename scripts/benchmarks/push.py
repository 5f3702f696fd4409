"""Row 4 of docs/design.md, 12: push images with shared layers into a registry, against `skopeo sync`."""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

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
from scripts.benchmarks.registry_sides import make_stub_forget, stub_side
from tests.integration.images import make_image
from tests.integration.placed_images import AMD64, place_images
from tests.integration.registries import Registry, plain_registry

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

SUMMARY = "push images straight into a registry (peer: skopeo sync)"
OURS, PEER = "bundler push-images", "skopeo sync"
MIN_SPEED = 1.5
MAX_PEAK_MIB = 150


@dataclass(frozen=True, slots=True)
class _Target:
    """What is pushed into: `HOST:PORT`, and what empties it."""

    host: str
    empty: Callable[[], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--images", type=int, default=8, help="how many images (%(default)s)")
    parser.add_argument("--size", type=int, default=64, help="MiB of a layer of each (%(default)s)")
    parser.add_argument("--jobs", type=int, default=8, help="uploads at once of ours (%(default)s)")
    parser.add_argument(
        "--stub", action="store_true", help="into a stub that throws everything away: the limit of the clients"
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (%(default)s)")
    parser.add_argument("--directory", default="/dev/shm", help="where the data lie (%(default)s)")  # noqa: S108 - see docs


def run(arguments: argparse.Namespace) -> None:
    """Measure and print; the registry is emptied before every push."""
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        # in a process of its own: a parent's memory would count as its children's peak
        fill = multiprocessing.get_context("spawn").Process(
            target=_fill, args=(directory, arguments.images, arguments.size * MIB)
        )
        fill.start()
        fill.join()
        if fill.exitcode:
            raise SystemExit("scripts/bench: the bundle could not be made")
        content_bytes = sum(path.stat().st_size for path in (directory / "root/k8simage/blobs/sha256").iterdir())
        if arguments.stub:
            with stub_side(directory, 0) as stub:
                target = _Target(f"127.0.0.1:{stub.port}", partial(make_stub_forget, stub))
                runs = in_turn((_ours(directory, target, arguments.jobs), _peer(directory, target)), arguments.rounds)
            print_machine(arguments.rounds, content_bytes, arguments.directory)
            print(f"{arguments.images} images with a layer of {arguments.size} MiB each, into a stub\n")
            print_rates(runs, content_bytes)
            return
        with plain_registry(directory / "registry") as registry:
            target = _Target(registry.host, partial(_empty, registry))
            ours = _ours(directory, target, arguments.jobs)
            runs = in_turn((ours, _peer(directory, target)), arguments.rounds)
            ours.clean()
            run_once(ours.command)
            before = len(registry.requests())
            again = run_once(ours.command)
            asked = {line.split()[0] for line in registry.requests()[before:] if line.split()[1].count("/") > 3}
    speed = speed_ratio(runs, OURS, PEER)
    peak_mib = max(run.peak_bytes for run in runs[OURS]) / MIB
    print_machine(arguments.rounds, content_bytes, arguments.directory)
    print(f"{arguments.images} images with a layer of {arguments.size} MiB each, {arguments.jobs} jobs\n")
    print_rates(runs, content_bytes)
    print("\n| bundler compared with its peer | | bar | |\n|---|---|---|---|")
    print_bar("speed, cold", speed, "x", f">= {MIN_SPEED}x", met=speed >= MIN_SPEED)
    print_bar("peak memory", peak_mib, " MiB", f"<= {MAX_PEAK_MIB} MiB", met=peak_mib <= MAX_PEAK_MIB)
    only_heads = asked == {"HEAD"}
    print_bar(f"second run, asks by {', '.join(sorted(asked))}", again.seconds, " s", "HEAD alone", met=only_heads)


def _fill(directory: Path, count: int, layer_bytes: int) -> None:
    """Make the bundle, and the same images for the peer as one OCI layout directory each."""
    names = [f"docker.io/bench/app{number}:1" for number in range(count)]
    place_images(directory / "made", dict.fromkeys(names, (AMD64,)), filler_bytes=layer_bytes).write_bundle(
        directory / "root"
    )
    shutil.rmtree(directory / "made")
    for number, name in enumerate(names):
        make_image(directory / "theirs" / f"app{number}", name, platforms=["linux/amd64"], filler_bytes=layer_bytes)


def _empty(registry: Registry) -> None:
    shutil.rmtree(registry.directory / "storage", ignore_errors=True)


def _ours(directory: Path, target: _Target, jobs: int) -> Contender:
    program = str(Path(sys.executable).with_name("bundler"))
    command = [program, "push-images", "--registry", target.host, "--root", str(directory / "root")]
    return Contender(OURS, [*command, "--via", "registry", "--jobs", str(jobs)], target.empty)


def _peer(directory: Path, target: _Target) -> Contender:
    """Return the peer: sync knows no OCI layouts, so its images lie as `dir:`, made from them once."""
    converted = directory / "converted"
    converted.mkdir()
    for layout in sorted((directory / "theirs").iterdir()):
        copy = ["skopeo", "--insecure-policy", "copy", "--quiet", f"oci:{layout}", f"dir:{converted / layout.name}"]
        run_once(copy)
    shutil.rmtree(directory / "theirs")
    sync = ["skopeo", "--insecure-policy", "sync", "--src", "dir", "--dest", "docker", "--dest-tls-verify=false"]
    return Contender(PEER, [*sync, str(converted), f"{target.host}/peer"], target.empty)
