"""A delta after one image of twenty changed: its size beside that image's new blobs, and how quickly it is built.

Against a full build of the same lock and store, in turn; by processor time, since others may work too.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import MIB, Contender, in_turn, print_bar, print_machine, print_rates
from tests.integration.images import make_image
from tests.integration.registries import Registry, plain_registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FULL, DELTA, WITH_PATCHES = "bundler build", "bundler build --base --no-patches", "bundler build --base"
IMAGES, CHANGED = 20, 7
MAX_SIZE, MAX_TIME, MAX_MEMORY = 1.1, 0.2, 150
_PROGRAM = str(Path(sys.executable).with_name("bundler"))


def measure_delta_builds(size: int, place: str, rounds: int) -> None:
    """Measure and print.

    Arguments:
        size: of all images together, in bytes.
        place: the directory to work in.
        rounds: how many count.
    """
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=place) as name:
        directory = Path(name)
        _prepare(directory, size // IMAGES)
        runs = in_turn(_contenders(directory), rounds)
        carried = (directory / "delta.tar.gz").stat().st_size / _new_bytes(directory)
    times = {name: statistics.median(run.processor_s for run in of_one) for name, of_one in runs.items()}
    memory = max(run.peak_bytes for name in (DELTA, WITH_PATCHES) for run in runs[name]) / MIB
    print_machine(rounds, size, place)
    print(f"{IMAGES} images, one of which has a new layer that nothing of the old one is in\n")
    print_rates(runs, size)
    print("\n| a delta | | bar | |\n|---|---|---|---|")
    print_bar("by the image's new blobs", carried, "x", f"< {MAX_SIZE}x", met=carried < MAX_SIZE)
    taken = times[DELTA] / times[FULL]
    print_bar("by the processor time of a full build", taken, "x", f"< {MAX_TIME}x", met=taken < MAX_TIME)
    print(f"| the same where patches are tried | {times[WITH_PATCHES] / times[FULL]:.3g}x | | |")
    print_bar("memory", memory, " MiB", f"<= {MAX_MEMORY} MiB", met=memory <= MAX_MEMORY)


def _prepare(directory: Path, image_bytes: int) -> None:
    """Build the old bundle, and lock and fetch the new one."""
    with plain_registry(directory / "registry") as registry:
        # in a process of its own: a parent's memory would count as its children's peak
        fill = multiprocessing.get_context("spawn").Process(target=_fill, args=(registry, directory, image_bytes))
        fill.start()
        fill.join()
        if fill.exitcode:
            raise SystemExit("scripts/bench: the registry could not be filled")
        for name, tags in (("old", {}), ("new", {CHANGED: 2})):
            lines = (f"  - {registry.host}/bench/app{number}:{tags.get(number, 1)}\n" for number in range(IMAGES))
            (directory / f"{name}.yaml").write_text(f"version: 1\nname: {name}\nimages:\n{''.join(lines)}")
            subprocess.run(_build(directory, name, name), check=True, capture_output=True)
    shutil.rmtree(directory / "registry")
    (directory / "new.tar.gz").unlink()


def _fill(registry: Registry, directory: Path, image_bytes: int) -> None:
    for image in (*(f"bench/app{number}:1" for number in range(IMAGES)), f"bench/app{CHANGED}:2"):
        layout = directory / "made"
        make_image(layout, image, filler_bytes=image_bytes)
        registry.fill(layout, image, image)
        shutil.rmtree(layout)


def _build(directory: Path, manifest: str, out: str, *options: str) -> list[str]:
    store, archive = directory / "store", directory / f"{out}.tar.gz"
    return [_PROGRAM, "build", f"{directory}/{manifest}.yaml", f"--store={store}", f"-o{archive}", *options]


def _contenders(directory: Path) -> Sequence[Contender]:
    base = f"--base={directory}/old.tar.gz"

    def contender(name: str, out: str, *options: str) -> Contender:
        command = _build(directory, "new", out, *options)
        return Contender(name, command, lambda: (directory / f"{out}.tar.gz").unlink(missing_ok=True))

    return (
        contender(FULL, "full"),
        contender(DELTA, "delta", base, "--no-patches"),
        contender(WITH_PATCHES, "patched", base),
    )


def _new_bytes(directory: Path) -> int:
    """Return the bytes of the blobs that only the new lock pins."""
    old, new = (_blobs(json.loads((directory / f"{name}.lock.json").read_bytes())) for name in ("old", "new"))
    return sum(size for digest, size in new.items() if digest not in old)


def _blobs(value: object) -> Mapping[str, int]:
    """Return the size of each digest that a lock names."""
    found: dict[str, int] = {}
    if isinstance(value, dict):
        if isinstance(value.get("digest"), str) and isinstance(value.get("size"), int):
            found[value["digest"]] = value["size"]
        for part in value.values():
            found.update(_blobs(part))
    elif isinstance(value, list):
        for part in value:
            found.update(_blobs(part))
    return found
