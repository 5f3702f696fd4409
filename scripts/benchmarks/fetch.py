"""Row 3 of docs/design.md, 12: fetch images with shared layers from a registry, against `skopeo copy` one by one."""

from __future__ import annotations

import multiprocessing
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import (
    MIB,
    Contender,
    in_turn,
    print_bar,
    print_machine,
    print_rates,
    speed_ratio,
)
from tests.integration.images import make_image
from tests.integration.registries import Registry, plain_registry

if TYPE_CHECKING:
    import argparse

SUMMARY = "fetch images with shared layers (peer: skopeo copy, one by one)"
OURS, PEER = "bundler build", "skopeo copy, one by one"
MIN_SPEED = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this benchmark."""
    parser.add_argument("--images", type=int, default=8, help="how many images (%(default)s)")
    parser.add_argument("--size", type=int, default=64, help="MiB of a layer that two images share (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (%(default)s)")
    parser.add_argument("--directory", default="/dev/shm", help="where the data lie (%(default)s)")  # noqa: S108 - see docs


def run(arguments: argparse.Namespace) -> None:
    """Measure and print; every round starts from nothing on both sides, the lock excepted."""
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        with plain_registry(directory / "registry") as registry:
            # in a process of its own: a parent's memory would count as its children's peak
            fill = multiprocessing.get_context("spawn").Process(
                target=_fill, args=(registry, directory / "made", arguments.images, arguments.size * MIB)
            )
            fill.start()
            fill.join()
            if fill.exitcode:
                raise SystemExit("scripts/bench: the registry could not be filled")
            images = [f"{registry.host}/{name}" for name in _names(arguments.images)]
            contenders = (_ours(directory, images), _peer(directory, images))
            runs = in_turn(contenders, arguments.rounds)
            unique_bytes = sum(path.stat().st_size for path in (directory / "ours-store" / "sha256").glob("*/*"))
    speed = speed_ratio(runs, OURS, PEER)
    print_machine(arguments.rounds, unique_bytes, arguments.directory)
    print(f"{len(images)} images, two by two sharing a layer of {arguments.size} MiB; every blob counts once\n")
    print_rates(runs, unique_bytes)
    print("\n| bundler compared with its peer | | bar | |\n|---|---|---|---|")
    print_bar("speed", speed, "x", f">= {MIN_SPEED}x", met=speed >= MIN_SPEED)


def _names(count: int) -> list[str]:
    return [f"bench/app{number}:1" for number in range(count)]


def _fill(registry: Registry, layout: Path, count: int, shared_bytes: int) -> None:
    """Push images that share a layer two by two."""
    for number, image in enumerate(_names(count)):
        shared = f"shared-{number // 2}"
        make_image(layout, image, files={"own": b"%d" % number}, filler_bytes=shared_bytes, filler=shared)
        registry.fill(layout, image, image)


def _ours(directory: Path, images: list[str]) -> Contender:
    manifest, store, out = directory / "bench.yaml", directory / "ours-store", directory / "ours.tar.gz"
    manifest.write_text("version: 1\nname: bench\nimages:\n" + "".join(f"  - {image}\n" for image in images))
    program = str(Path(sys.executable).with_name("bundler"))
    command = [program, "build", str(manifest), "--store", str(store), "-o", str(out)]

    def clean() -> None:
        shutil.rmtree(store, ignore_errors=True)
        out.unlink(missing_ok=True)
        manifest.with_name("bench.lock.json").unlink(missing_ok=True)

    return Contender(OURS, command, clean)


def _peer(directory: Path, images: list[str]) -> Contender:
    layout = directory / "theirs"
    copy = "skopeo --insecure-policy copy --quiet --src-tls-verify=false docker://{image} oci:{layout}:{image}"
    script = "set -e\n" + "\n".join(copy.format(image=image, layout=layout) for image in images)
    return Contender(PEER, ["sh", "-c", script], lambda: shutil.rmtree(layout, ignore_errors=True))
