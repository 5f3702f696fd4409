"""The mirror from outside: until it is ready, its first page, reloads, and those that fetch from it.

What its processes took at most shows when all of them have ended, in a process that has started nothing else: so this
is a program, too, once for the start and once for reloads.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.integration.mirror_program import mirror

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from tests.integration.mirror_program import Mirror

WORKERS = 2
RELOADS = 3
TICKS = os.sysconf("SC_CLK_TCK")
BUNDLER = str(Path(sys.executable).with_name("bundler"))


@dataclass(frozen=True, slots=True)
class Served:
    """One thing that a mirror did: CPU seconds of all its processes, bytes of the largest, seconds of wall clock."""

    name: str
    cpu_seconds: float
    peak_bytes: int
    wall_s: float


def mirror_figures(tree: Path) -> list[Served]:
    """Return the figures of a mirror of a tree."""
    return [Served(**values) for part in ("start", "reload") for values in _in_a_process(part, tree)]


def _in_a_process(part: str, tree: Path) -> Iterator[dict[str, Any]]:
    command = [sys.executable, "-m", "scripts.benchmarks.growth_mirror", part, str(tree)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    yield from json.loads(done.stdout)


def serving(tree: Path) -> AbstractContextManager[Mirror]:
    """Serve a tree over HTTP and FTP."""
    return mirror(tree, "--workers", str(WORKERS), "--ftp", "127.0.0.1:0")


def _started(tree: Path) -> Iterator[Served]:
    """Yield the start and the first page: memory is that of all processes that there were, and of those that stay."""
    begin = time.perf_counter()
    with serving(tree) as running:
        ready_s, pid = time.perf_counter() - begin, running.process.pid
        used, begin = _cpu_seconds(pid), time.perf_counter()
        with urllib.request.urlopen(f"{running.url}/") as page:  # noqa: S310 - the program that was just started
            page.read()
        page_s, page_cpu_s = time.perf_counter() - begin, _cpu_seconds(pid) - used
        staying = _most_bytes(pid, "VmHWM:")
    yield Served("mirror, until ready", used, _largest_child_bytes(), ready_s)
    yield Served("mirror, first page", page_cpu_s, staying, page_s)


def _reloaded(tree: Path) -> Iterator[Served]:
    """Yield a reload, the mean of some, and what the largest process holds after them."""
    with serving(tree) as running:
        pid = running.process.pid
        used, begin = _cpu_seconds(pid), time.perf_counter()
        for times in range(1, RELOADS + 1):
            running.reload(times)
        seconds, cpu_s = time.perf_counter() - begin, _cpu_seconds(pid) - used
        held = _most_bytes(pid, "VmRSS:")
    yield Served("mirror, reload", cpu_s / RELOADS, _largest_child_bytes(), seconds / RELOADS)
    yield Served(f"mirror, held after {RELOADS} reloads", 0, held, 0)


def _processes(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in children for found in _processes(int(child)))]


def _cpu_seconds(pid: int) -> float:
    # proc(5), /proc/pid/stat: the 14th to 17th field, counted from behind the program's name; ended children count
    fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in _processes(pid)]
    return sum(int(number) for found in fields for number in found[11:15]) / TICKS


def _most_bytes(pid: int, key: str) -> int:
    texts = [Path(f"/proc/{one}/status").read_text().splitlines() for one in _processes(pid)]
    return max(int(line.split()[1]) * 1024 for text in texts for line in text if line.startswith(key))


def _largest_child_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def fetching_commands(running: Mirror, directory: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield what others do with a mirror that runs: their names and commands."""
    yield "verify URL", [BUNDLER, "verify", running.url]
    yield "unpack URL", [BUNDLER, "unpack", running.url, "-C", str(directory / "fetched")]
    script = directory / "edge.sh"
    with urllib.request.urlopen(f"{running.url}/-/edge.sh") as answer:  # noqa: S310 - the mirror that was just started
        script.write_bytes(answer.read())
    yield "edge.sh", ["sh", str(script), "--root", str(directory / "edge")]


if __name__ == "__main__":
    part, root = sys.argv[1:]
    print(json.dumps([asdict(one) for one in (_started if part == "start" else _reloaded)(Path(root))]))
