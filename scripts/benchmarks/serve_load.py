"""What is put on a server, and measured: large files, small files, connections that are only held."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scripts.benchmarks.serve_sides import program

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scripts.benchmarks.serve_sides import Side
    from scripts.benchmarks.serve_tree import ServedTree

# for every connection's window to open
WARM_S = 0.3
PATIENCE_S = 120
SPARE_DESCRIPTORS = 512
_SCRIPT = Path(__file__).with_name("small_files.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """How the clients run.

    Arguments:
        processes: client processes (threads of wrk), as many as the server has workers.
        seconds: of one measurement.
        core: the one that clients run on, None for any.
        paths: of the large files, where they are not those of the tree.
    """

    tree: ServedTree
    processes: int
    seconds: float
    core: int | None
    paths: tuple[str, ...] = ()


class Measured(NamedTuple):
    """Bytes or requests in a second, and the processor time in seconds that the server used for one of them.

    The second is what a machine that does other work disturbs least. `client_cost_s` is that of the clients, where
    it is known.
    """

    rate: float
    cost_s: float
    client_cost_s: float = 0.0


class HeldConnections(NamedTuple):
    """What became of many open connections: how many answered at the end, and what the server was like meanwhile."""

    answered: int
    memory_bytes: int
    requests_before: float
    requests_meanwhile: float


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Start processes on one core only, for the length of a block."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_descriptor_limit() -> int:
    """Let this process and those it starts open as many files as the host allows; return how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


def large_files(side: Side, load: Load, connections: int, *, receiver: str = "discard") -> Measured:
    """Fetch large files over so many connections, and count the bytes of content.

    Arguments:
        receiver: what clients do with them, `discard` or `copy` (`bulk_client.RECEIVERS`).
    """
    processes = min(load.processes, connections)
    shares = [connections // processes + (number < connections % processes) for number in range(processes)]
    window = [str(load.seconds), str(load.tree.large_bytes), receiver, *load.paths]
    with on_core(load.core):
        clients = [_start("bulk_client", str(side.port), str(share), *window) for share in shares]
    for client in clients:
        _wait_until_open(client)
    begin_s = time.monotonic() + WARM_S
    for client in clients:
        assert client.stdin is not None  # noqa: S101 - it is a pipe
        client.stdin.write(f"{begin_s}\n")
        client.stdin.flush()
    time.sleep(max(0.0, begin_s - time.monotonic()))
    used_s = side.processor_s()
    time.sleep(max(0.0, begin_s + load.seconds - time.monotonic()))
    used_s = side.processor_s() - used_s
    counted = [_ended(client).split() for client in clients]
    count = sum(int(came) for came, _ in counted)
    client_s = sum(float(seconds) for _, seconds in counted)
    return Measured(count / load.seconds, used_s / max(1, count), client_s / max(1, count))


def small_files(side: Side, load: Load, connections: int, *, more_fields: bool = False) -> Measured:
    """Fetch small files over so many connections, and count the answers; ends the benchmark when one is not right."""
    measured, broken = _wrk(side, load, connections, more_fields=more_fields)
    if broken:
        raise SystemExit(f"scripts/bench: {broken} requests to {side.name} failed")
    return measured


def _wrk(side: Side, load: Load, connections: int, *, more_fields: bool = False) -> tuple[Measured, int]:
    """Return what was measured of right answers, and the number of the others."""
    command = [program("wrk"), f"-t{load.processes}", f"-c{connections}", f"-d{load.seconds:.0f}s", f"-s{_SCRIPT}"]
    command += [f"http://127.0.0.1:{side.port}/", str(load.tree.small_files), "more" if more_fields else "few"]
    used_s = side.processor_s()
    with on_core(load.core):
        output = _ended(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    words = next((line.split() for line in output.splitlines() if line.startswith("measured ")), None)
    if words is None:
        raise SystemExit(f"scripts/bench: wrk said nothing that can be read:\n{output}")
    requests, microseconds, broken = map(int, words[1:4])
    right = max(0, requests - broken)
    return Measured(right / microseconds * 1e6, (side.processor_s() - used_s) / max(1, right)), broken


def held_connections(side: Side, load: Load, count: int, connections: int) -> HeldConnections:
    """Open many connections, and measure memory and small files while they are there."""
    before = small_files(side, load, connections).rate
    with on_core(load.core):
        holder = _start("holding_client", str(side.port), str(count))
    try:
        _wait_until_open(holder)
        _, memory_bytes = side.memory_bytes()
        # a server that is full refuses: that is a result, not a failure
        meanwhile, _ = _wrk(side, load, connections)
        answered = int(_ended(holder))
    finally:
        holder.kill()
        holder.wait()
    return HeldConnections(answered, memory_bytes, before, meanwhile.rate)


def _start(module: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"scripts.benchmarks.{module}", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _wait_until_open(client: subprocess.Popen[str]) -> None:
    assert client.stdout is not None  # noqa: S101 - it is a pipe
    client.stdout.readline()


def _ended(client: subprocess.Popen[str]) -> str:
    try:
        output, _ = client.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        client.kill()
        client.wait()
        raise
    if client.returncode:
        raise SystemExit(f"scripts/bench: a client ended with {client.returncode}")
    return output
