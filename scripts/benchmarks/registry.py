"""The registry's rows of issue 5: `mirror serve` against docker-registry, on the same images."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.model.image.oci import OCI_INDEX, OCI_MANIFEST
from scripts.benchmarks.bulk_client import RECEIVERS
from scripts.benchmarks.measure import MIB, print_bar
from scripts.benchmarks.registry_images import make_images
from scripts.benchmarks.registry_sides import PEER, STUB, check_blobs, registry_side, stub_side
from scripts.benchmarks.serve_load import Load, Measured, large_files, on_core
from scripts.benchmarks.serve_sides import OURS, default_mirror, mirror_side, program
from scripts.benchmarks.serve_tree import ServedTree

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from scripts.benchmarks.registry_images import ServedImage
    from scripts.benchmarks.serve_sides import Side

SUMMARY = "pull large blobs and ask for manifests (peer: docker-registry)"
MIN_BLOBS, MIN_HEADS = 1.5, 2
SERVER_CORE, CLIENT_CORE = 0, 1
BLOB_CLIENTS, HEAD_CLIENTS = (1, 8), (8, 64)
# a second; more than any server answers, and ab has memory for each
_MAX_HEADS = 500_000
_REPORTED = re.compile(
    r"^(Complete requests|Failed requests|Keep-Alive requests|Requests per second): +([\d.]+)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement.

    Arguments:
        unit, scale: of its rate, and what the rate is divided by to be read in it.
        cost_unit, cost_scale: of the processor time of one byte or request, and what that is multiplied by.
        bar: at least so many times the peer's rate.
    """

    name: str
    unit: str
    scale: float
    cost_unit: str
    cost_scale: float
    bar: float
    measure: Callable[[Side], Measured]


Results = dict[tuple[str, str], list[Measured]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="workers of the mirror (default 2)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement (default 2)")
    parser.add_argument("--pin", action="store_true", help="one worker; servers on core 0, clients on core 1")
    parser.add_argument("--size", type=int, default=64, metavar="MIB", help="of a blob (default 64)")
    parser.add_argument(
        "--stub", action="store_true", help="the peer's place has a stub that sends zeros: the limit of the clients"
    )
    parser.add_argument("--mirror", default=default_mirror(), metavar="COMMAND", help="another mirror to be measured")
    parser.add_argument("--directory", default="/dev/shm", help="where to work (default /dev/shm: no disk is measured)")  # noqa: S108 - the point is a file system in memory


def run(arguments: argparse.Namespace) -> None:
    """Measure and print; one round to warm up."""
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        # the mirror's workers become somebody else
        directory.chmod(0o755)
        images = make_images(directory / "tree", arguments.size * MIB)
        paths = tuple(image.blob_path for image in images)
        tree = ServedTree(directory / "tree", arguments.size * MIB, 0, {})
        workers = 1 if arguments.pin else arguments.workers
        client_core = CLIENT_CORE if arguments.pin else None
        rows = _rows(Load(tree, workers, arguments.seconds, client_core, paths), images, heads=not arguments.stub)
        results: Results = {}
        with (
            on_core(SERVER_CORE if arguments.pin else None),
            mirror_side(arguments.mirror, directory / "tree", workers, directory) as ours,
            _peer(arguments, directory, images) as peer,
        ):
            for side in (ours,) if arguments.stub else (ours, peer):
                check_blobs(side, images)
            for number in range(arguments.rounds + 1):
                # whoever comes first finds other caches
                for row in rows:
                    for side in (ours, peer) if number % 2 else (peer, ours):
                        measured = row.measure(side)
                        if number:
                            results.setdefault((row.name, side.name), []).append(measured)
    _print(arguments, rows, results, STUB if arguments.stub else PEER)


def _peer(
    arguments: argparse.Namespace, directory: Path, images: Sequence[ServedImage]
) -> AbstractContextManager[Side]:
    if arguments.stub:
        return stub_side(directory, arguments.size * MIB)
    return registry_side(PEER, program(PEER), directory, images)


def _rows(load: Load, images: Sequence[ServedImage], *, heads: bool) -> tuple[Row, ...]:
    return (
        *(_blob_row(load, clients, receiver) for receiver in RECEIVERS for clients in BLOB_CLIENTS),
        *(_head_row(load, images, n) for n in HEAD_CLIENTS if heads),
    )


def _blob_row(load: Load, clients: int, receiver: str) -> Row:
    name = blob_row_name(load.tree.large_bytes, clients, receiver)

    def measure(side: Side) -> Measured:
        return large_files(side, load, clients, receiver=receiver)

    return Row(name, "GB/s", 1e9, "s/GB", 1e9, MIN_BLOBS, measure)


def blob_row_name(blob_bytes: int, clients: int, receiver: str) -> str:
    """Say what is pulled, by how many, and what they do with it."""
    who = f"{clients} client{'s' if clients > 1 else ''}"
    what = {"discard": "discarding", "copy": "copying"}[receiver]
    return f"{blob_bytes // MIB} MiB blobs, {who} {what}"


def _head_row(load: Load, images: Sequence[ServedImage], clients: int) -> Row:
    def measure(side: Side) -> Measured:
        with on_core(load.core):
            return _heads(side, images[0], clients, load.seconds)

    return Row(f"manifest HEADs, {clients} clients", "thousand/s", 1e3, "us", 1e6, MIN_HEADS, measure)


def _heads(side: Side, image: ServedImage, clients: int, seconds: float) -> Measured:
    """Ask for a manifest by its tag over and over with ab, since wrk waits for the content that HEAD does not bring."""
    command = [program("ab"), "-q", "-i", "-k", f"-c{clients}", f"-t{seconds:.0f}", f"-n{_MAX_HEADS * seconds:.0f}"]
    command += ["-H", f"Accept: {OCI_INDEX}, {OCI_MANIFEST}", f"http://127.0.0.1:{side.port}/{image.manifest_path}"]
    used_s = side.processor_s()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    used_s = side.processor_s() - used_s
    reported = {name: float(value) for name, value in _REPORTED.findall(done.stdout)}
    complete, rate = reported.get("Complete requests", 0), reported.get("Requests per second", 0)
    # connections that are not kept would measure something else
    kept = reported.get("Keep-Alive requests", 0)
    if done.returncode or reported.get("Failed requests") or "Non-2xx responses" in reported or kept < complete * 0.9:
        raise SystemExit(f"scripts/bench: requests to {side.name} failed:\n{done.stdout}{done.stderr}")
    return Measured(rate, used_s / max(1, complete))


def _print(arguments: argparse.Namespace, rows: Sequence[Row], results: Results, peer: str) -> None:
    processors = len(os.sched_getaffinity(0))
    print(f"{processors} processors, {platform.machine()}, Python {platform.python_version()}, ", end="")
    print(f"blobs in {arguments.directory}, medians of {arguments.rounds} rounds in turn, ", end="")
    pinned = "one worker, servers on a core and clients on another"
    print(f"{arguments.seconds} s each, {pinned if arguments.pin else f'{arguments.workers} workers'}\n")
    print(f"| | {OURS} | lowest to highest | processor time | {peer} | lowest to highest | processor time |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        cells = [cell for side in (OURS, peer) for cell in _cells(row, results[row.name, side])]
        print(f"| {row.name}, {row.unit} | {' | '.join(cells)} |")
    if peer == STUB:
        # what it reaches is what the clients can take; no bar is held to it
        return
    print(f"\n| {OURS} compared with {peer} | | bar | |\n|---|---|---|---|")
    for row in rows:
        ours, theirs = (statistics.median(one.rate for one in results[row.name, side]) for side in (OURS, peer))
        print_bar(row.name, ours / theirs, "x", f">= {row.bar}x", met=ours / theirs >= row.bar)


def _cells(row: Row, rounds: Sequence[Measured]) -> list[str]:
    """Return the median, the range, and the processor time."""
    rates = sorted(one.rate / row.scale for one in rounds)
    cost = statistics.median(one.cost_s for one in rounds) * row.cost_scale
    return [f"{statistics.median(rates):.3g}", f"{rates[0]:.3g} to {rates[-1]:.3g}", f"{cost:.3g} {row.cost_unit}"]
