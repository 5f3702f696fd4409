"""The HTTP rows of docs/design.md, 12: `mirror serve` against nginx with as many workers, on the same bundle."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.bulk_client import RECEIVERS
from scripts.benchmarks.measure import MIB, print_bar
from scripts.benchmarks.serve_load import (
    SPARE_DESCRIPTORS,
    HeldConnections,
    Load,
    Measured,
    held_connections,
    large_files,
    on_core,
    raise_descriptor_limit,
    small_files,
)
from scripts.benchmarks.serve_sides import (
    OURS,
    PEER,
    check_bytes,
    default_mirror,
    mirror_side,
    nginx_side,
    program,
)
from scripts.benchmarks.serve_tree import make_tree

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from scripts.benchmarks.serve_sides import Side
    from scripts.benchmarks.serve_tree import ServedTree

SUMMARY = "serve large files, small files and many connections over HTTP (peer: nginx, as many workers)"
MIN_LARGE, MIN_SMALL, MIN_LOADED = 0.95, 0.75, 0.7
MAX_WORKER_MIB, MAX_HELD_MEMORY = 60, 1
CLIENTS = {"discard": "", "copy": ", copying"}
LARGE_CONNECTIONS, SMALL_CONNECTIONS, USUAL_CONNECTIONS = (1, 8, 64), (64, 256), 64
SERVER_CORE, CLIENT_CORE = 0, 1
# bbr paces what is sent, which decides much of what large files come to on loopback
_CONGESTION_CONTROL = Path("/proc/sys/net/ipv4/tcp_congestion_control")


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
    measure: Callable[[Side, Load], Measured]


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured with one number of workers, by side: row -> round by round."""

    measured: dict[str, dict[str, list[Measured]]] = field(default_factory=lambda: {OURS: {}, PEER: {}})
    held: dict[str, list[HeldConnections]] = field(default_factory=lambda: {OURS: [], PEER: []})
    at_rest: dict[str, tuple[int, int]] = field(default_factory=dict)
    afterwards: dict[str, tuple[int, int]] = field(default_factory=dict)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], metavar="N", help="workers (default 1 and 2)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement (default 2)")
    parser.add_argument("--pin", action="store_true", help="one worker: server on core 0, clients on core 1")
    parser.add_argument("--size", type=int, default=64, metavar="MIB", help="of a large file (default 64)")
    parser.add_argument("--files", type=int, default=600, help="small files (default 600)")
    parser.add_argument("--held", type=int, default=10_000, help="connections that are only open (default 10000)")
    parser.add_argument("--mirror", default=default_mirror(), metavar="COMMAND", help="another mirror to be measured")
    parser.add_argument("--directory", default="/dev/shm", help="where to work (default /dev/shm: no disk is measured)")  # noqa: S108 - the point is a file system in memory


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    program("nginx"), program("wrk")
    descriptors = raise_descriptor_limit()
    held = arguments.held if descriptors >= arguments.held + SPARE_DESCRIPTORS else 0
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        tree = make_tree(directory / "tree", large_bytes=arguments.size * MIB, small_files=arguments.files)
        _print_setting(arguments)
        if not held:
            print(f"{arguments.held} open connections: left out, this host allows {descriptors} descriptors at most\n")
        for workers in arguments.workers:
            results = _measure(arguments, tree, directory, workers, held)
            _print_results(arguments, results, workers, held)


def _rows(size_mib: int) -> tuple[Row, ...]:
    return (
        *(large_row(size_mib, connections, receiver) for receiver in RECEIVERS for connections in LARGE_CONNECTIONS),
        *(small_row(connections) for connections in SMALL_CONNECTIONS),
        small_row(USUAL_CONNECTIONS, more_fields=True),
    )


def large_row(size_mib: int, connections: int, receiver: str = "discard") -> Row:
    """Return the measurement of large files over so many connections, to clients that do that with them."""

    def measure(side: Side, load: Load) -> Measured:
        return large_files(side, load, connections, receiver=receiver)

    name = f"{size_mib} MiB files, {connections} connection{'s' if connections > 1 else ''}{CLIENTS[receiver]}"
    return Row(name, "GB/s", 1e9, "s/GB", 1e9, MIN_LARGE, measure)


def small_row(connections: int, *, more_fields: bool = False) -> Row:
    """Return the measurement of small files over so many connections."""

    def measure(side: Side, load: Load) -> Measured:
        return small_files(side, load, connections, more_fields=more_fields)

    name = f"4 KiB files, {connections} connections{', three more fields' if more_fields else ''}"
    return Row(name, "thousand/s", 1e3, "us", 1e6, MIN_SMALL, measure)


def _measure(arguments: argparse.Namespace, tree: ServedTree, directory: Path, workers: int, held: int) -> Results:
    """Run both servers side by side, and put every load on the one and then on the other."""
    results = Results()
    pinned = arguments.pin and workers == 1
    load = Load(tree, workers, arguments.seconds, CLIENT_CORE if pinned else None)
    # nginx takes memory for all of them at once, and closes idle ones when fewer than one in sixteen are free
    room = arguments.held // workers * 5 // 4 + SPARE_DESCRIPTORS
    with ExitStack() as running:
        running.enter_context(on_core(SERVER_CORE if pinned else None))
        sides = [
            running.enter_context(mirror_side(arguments.mirror, tree.root, workers, directory)),
            running.enter_context(nginx_side(tree.root, workers, directory, room)),
        ]
        for side in sides:
            results.at_rest[side.name] = side.memory_bytes()
            check_bytes(side, tree)
        for number in range(arguments.rounds):
            # whoever comes first finds other caches
            turn = sides if number % 2 else sides[::-1]
            for row in _rows(arguments.size):
                for side in turn:
                    results.measured[side.name].setdefault(row.name, []).append(row.measure(side, load))
            for side in turn if held else []:
                results.held[side.name].append(held_connections(side, load, held, USUAL_CONNECTIONS))
        for side in sides:
            results.afterwards[side.name] = side.memory_bytes()
    return results


def _print_setting(arguments: argparse.Namespace) -> None:
    processors = len(os.sched_getaffinity(0))
    print(f"{processors} processors, {platform.machine()}, Python {platform.python_version()}, ", end="")
    print(f"files in {arguments.directory}, medians of {arguments.rounds} rounds in turn, {arguments.seconds} s each")
    print(f"congestion control {_CONGESTION_CONTROL.read_text().strip()}; ", end="")
    print("nginx with sendfile and tcp_nopush, without access log and open_file_cache\n")


def _print_results(arguments: argparse.Namespace, results: Results, workers: int, held: int) -> None:
    rows = _rows(arguments.size)
    pinned = arguments.pin and workers == 1
    print(f"{workers} worker{'s' if workers > 1 else ''}{', server and clients on a core each' if pinned else ''}\n")
    print(f"| | {OURS} | lowest to highest | processor time | {PEER} | lowest to highest | processor time |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row.name}, {row.unit} | {' | '.join(_measured_cells(results, row))} |")
    if held:
        _print_held(results.held, held)
    for when, memory in (("at rest", results.at_rest), ("after all of this", results.afterwards)):
        for which, whose in enumerate(("the largest worker", "all processes")):
            ours, theirs = (f"{memory[side][which] / MIB:.0f}" for side in (OURS, PEER))
            print(f"| memory of {whose} {when}, MiB | {ours} | | | {theirs} | | |")
    print(f"\n| {OURS} compared with {PEER} | | bar | |\n|---|---|---|---|")
    for row in rows:
        ratio = _ratio(results, row)
        print_bar(row.name, ratio, "x", f">= {row.bar}x", met=ratio >= row.bar)
    if held:
        _judge_held(results.held, held)
    at_rest = results.at_rest[OURS][0] / MIB
    print_bar("memory of a worker at rest", at_rest, " MiB", f"<= {MAX_WORKER_MIB} MiB", met=at_rest <= MAX_WORKER_MIB)
    print()


def _print_held(held: Mapping[str, list[HeldConnections]], count: int) -> None:
    rows: dict[str, Callable[[HeldConnections], float]] = {
        f"{count} open connections: still answered at the end": lambda one: one.answered,
        "memory of all processes meanwhile, MiB": lambda one: one.memory_bytes / MIB,
        "4 KiB files before, thousand/s": lambda one: one.requests_before / 1e3,
        "4 KiB files meanwhile, thousand/s": lambda one: one.requests_meanwhile / 1e3,
    }
    for name, value in rows.items():
        ours, theirs = (spread([value(one) for one in held[side]]) for side in (OURS, PEER))
        print(f"| {name} | {ours} | | {theirs} | |")


def _judge_held(held: Mapping[str, list[HeldConnections]], count: int) -> None:
    answered = min(one.answered for one in held[OURS])
    memory = {side: statistics.median(one.memory_bytes for one in rounds) for side, rounds in held.items()}
    loaded = statistics.median(one.requests_meanwhile / one.requests_before for one in held[OURS])
    of_memory = memory[OURS] / memory[PEER]
    print(f"| {count} open connections: held | {answered} | {count} | {'met' if answered == count else 'NOT met'} |")
    print_bar("their memory", of_memory, "x", f"<= {MAX_HELD_MEMORY}x", met=of_memory <= MAX_HELD_MEMORY)
    print_bar("4 KiB files beside them", loaded, "x of before", f">= {MIN_LOADED}x", met=loaded >= MIN_LOADED)


def _measured_cells(results: Results, row: Row) -> list[str]:
    cells = []
    for side in (OURS, PEER):
        rounds = results.measured[side][row.name]
        cost = statistics.median(one.cost_s for one in rounds) * row.cost_scale
        cells += [spread([one.rate / row.scale for one in rounds]), f"{cost:.3g} {row.cost_unit}"]
    return cells


def spread(values: list[float]) -> str:
    """Return two cells: the median, and the range."""
    median, lowest, highest = (
        f"{value:.0f}" if value >= 100 else f"{value:.3g}"
        for value in (statistics.median(values), min(values), max(values))
    )
    return f"{median} | {lowest} to {highest}"


def _ratio(results: Results, row: Row) -> float:
    ours, theirs = (statistics.median(one.rate for one in results.measured[side][row.name]) for side in (OURS, PEER))
    return ours / theirs
