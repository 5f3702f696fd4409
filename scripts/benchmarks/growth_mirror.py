"""The mirror from outside: until it is ready, its first page, a reload, and what its largest process holds."""

from __future__ import annotations

import os
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from tests.integration.mirror_program import mirror

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKERS = 2
TICKS = os.sysconf("SC_CLK_TCK")


def mirror_figures(tree: Path) -> Iterator[tuple[str, float, int]]:
    """Yield, for each thing that it does, its name, CPU seconds of all processes, and bytes of the largest of them.

    A row's memory is the peak of the whole run up to then.
    """
    with mirror(tree, "--workers", str(WORKERS), "--ftp", "127.0.0.1:0") as running:
        # forked workers are children of the first process, which reads nothing
        pid = running.process.pid
        used = _cpu_seconds(pid)
        yield "mirror, until ready", used, _peak_bytes(pid)
        with urllib.request.urlopen(f"{running.url}/") as page:  # noqa: S310 - the program that was just started
            page.read()
        used, before = _cpu_seconds(pid), used
        yield "mirror, first page", used - before, _peak_bytes(pid)
        running.reload()
        used, before = _cpu_seconds(pid), used
        yield "mirror, reload", used - before, _peak_bytes(pid)


def _processes(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in children for found in _processes(int(child)))]


def _cpu_seconds(pid: int) -> float:
    # proc(5), /proc/pid/stat: the 14th and 15th field, counted from behind the program's name
    fields = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in _processes(pid)]
    return sum(int(found[11]) + int(found[12]) for found in fields) / TICKS


def _peak_bytes(pid: int) -> int:
    texts = [Path(f"/proc/{one}/status").read_text().splitlines() for one in _processes(pid)]
    return max(int(line.split()[1]) * 1024 for text in texts for line in text if line.startswith("VmHWM:"))
