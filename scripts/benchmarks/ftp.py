"""The FTP row of docs/design.md, 12: `mirror serve` against vsftpd, on the same bundle, with a client written in C."""

from __future__ import annotations

import ftplib
import os
import platform
import shlex
import statistics
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scripts.benchmarks.measure import MIB, print_bar
from scripts.benchmarks.serve_sides import OURS, default_mirror, free_port, program, running
from scripts.benchmarks.serve_tree import SMALL_BYTES, large_path, make_tree

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scripts.benchmarks.serve_sides import Side
    from scripts.benchmarks.serve_tree import ServedTree

SUMMARY = "serve large files, small files and logins over FTP (peer: vsftpd)"
PEER = "vsftpd"
MIN_LARGE, MIN_SMALL, STRETCH_SMALL, MIN_LOGINS = 0.95, 0.5, 0.7, 5.0
MAX_WORKER_MIB = 60
CLIENT_WITHIN_S = 300
CLIENT_SOURCE = Path(__file__).with_name("ftp_client.c")
SMALL_FILES = 1000
# what vsftpd may hold at once: all ended data connections of a round wait for their ports (TIME_WAIT)
PASSIVE_PORTS = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement.

    Arguments:
        what: `retr` or `login`, with path and number of files as the client takes them.
        clients, times: how many clients do it, and how often each.
        unit: of its rate: `GB/s`, or `/s`.
        bar: at least so many times the peer's rate.
    """

    name: str
    what: tuple[str, str, int]
    clients: int
    times: int
    unit: str
    bar: float

    def amount(self, sent_bytes: int) -> float:
        """Return what was done: gigabytes, or how often."""
        return sent_bytes / 1e9 if self.unit == "GB/s" else self.clients * self.times

    @property
    def cost_unit(self) -> tuple[str, float]:
        """The unit of the processor time for each of them, and what seconds are multiplied by."""
        return ("s/GB", 1) if self.unit == "GB/s" else ("us", 1e6)


class Measured(NamedTuple):
    """One run: the rate in the row's unit, and the server's processor time for each unit in seconds."""

    rate: float
    cost_s: float


Results = dict[tuple[str, str], list[Measured]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="workers of the mirror (default 2)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--size", type=int, default=512, metavar="MIB", help="of a large file (default 512)")
    parser.add_argument("--mirror", default=default_mirror(), metavar="COMMAND", help="another mirror to be measured")
    parser.add_argument("--directory", default="/dev/shm", help="where to work (default /dev/shm: no disk is measured)")  # noqa: S108 - the point is a file system in memory


def run(arguments: argparse.Namespace) -> None:
    """Measure and print; one round to warm up."""
    rows = _rows(arguments.size)
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        # the mirror's workers and vsftpd's become somebody else
        directory.chmod(0o755)
        client = _compiled_client(directory)
        tree = make_tree(directory / "tree", large_bytes=arguments.size * MIB, small_files=SMALL_FILES)
        results: Results = {}
        with (
            _mirror(arguments.mirror, tree, arguments.workers, directory) as ours,
            _vsftpd(tree, directory) as peer,
        ):
            memory = ours.memory_bytes()[0] / MIB
            for number in range(arguments.rounds + 1):
                # whoever comes first finds other caches
                for row in rows:
                    for side in (ours, peer) if number % 2 else (peer, ours):
                        measured = _measured(client, side, row)
                        if number:
                            results.setdefault((row.name, side.name), []).append(measured)
    _print(arguments, rows, results, memory)


def _rows(size_mib: int) -> tuple[Row, ...]:
    large = ("retr", large_path(0), 1)
    small = ("retr", "small/%05d.bin", SMALL_FILES)
    return (
        *(
            Row(
                f"{size_mib} MiB, {clients} client{'s' if clients > 1 else ''}",
                large,
                clients,
                times,
                "GB/s",
                MIN_LARGE,
            )
            for clients, times in ((1, 4), (4, 2), (16, 1))
        ),
        Row(f"{SMALL_BYTES // 1024} KiB, 1 client", small, 1, 1000, "/s", MIN_SMALL),
        Row(f"{SMALL_BYTES // 1024} KiB, 8 clients", small, 8, 1000, "/s", MIN_SMALL),
        Row("logins, 8 clients", ("login", "-", 1), 8, 60, "/s", MIN_LOGINS),
    )


def _compiled_client(directory: Path) -> str:
    target = directory / "ftp_client"
    subprocess.run([program("gcc"), "-O2", "-pthread", "-o", str(target), str(CLIENT_SOURCE)], check=True)
    return str(target)


def _measured(client: str, side: Side, row: Row) -> Measured:
    kind, path, files = row.what
    command = [client, str(side.port), kind, path, str(files), str(row.clients), str(row.times)]
    before_s = side.processor_s()
    done = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_WITHIN_S, check=False)
    if done.returncode:
        raise SystemExit(f"scripts/bench: {row.name} at {side.name}: {done.stderr.strip()}")
    seconds, count = done.stdout.split()
    amount = row.amount(int(count))
    return Measured(amount / float(seconds), (side.processor_s() - before_s) / amount)


@contextmanager
def _mirror(command: str, tree: ServedTree, workers: int, directory: Path) -> Iterator[Side]:
    port = free_port()
    arguments = ["serve", f"--root={tree.root}", f"--ftp=127.0.0.1:{port}", "--http=off", f"--workers={workers}"]
    with running(OURS, [*shlex.split(command), *arguments], port, directory, _answers) as side:
        yield side


@contextmanager
def _vsftpd(tree: ServedTree, directory: Path) -> Iterator[Side]:
    port, empty = free_port(), directory / "empty"
    empty.mkdir()
    options = {
        "listen": "YES",
        "listen_port": port,
        "listen_address": "127.0.0.1",
        "background": "NO",
        "anonymous_enable": "YES",
        "no_anon_password": "YES",
        "local_enable": "NO",
        "anon_root": tree.root,
        "secure_chroot_dir": empty,
        "seccomp_sandbox": "NO",
        "xferlog_enable": "NO",
        "run_as_launching_user": "NO" if os.geteuid() == 0 else "YES",
        "pasv_min_port": 22000,
        "pasv_max_port": 22000 + PASSIVE_PORTS - 1,
    }
    settings = directory / "vsftpd.conf"
    settings.write_text("".join(f"{name}={value}\n" for name, value in options.items()))
    with running(PEER, [program("vsftpd"), str(settings)], port, directory, _answers) as side:
        yield side


def _answers(port: int) -> bool:
    with suppress(OSError, EOFError), ftplib.FTP(timeout=10) as client:  # noqa: S321 - what is measured
        client.connect("127.0.0.1", port)
        client.login()
        return True
    return False


def _print(arguments: argparse.Namespace, rows: tuple[Row, ...], results: Results, memory_mib: float) -> None:
    processors = len(os.sched_getaffinity(0))
    print(f"{processors} processors, {platform.machine()}, Python {platform.python_version()}, files in ", end="")
    print(f"{arguments.directory}, medians of {arguments.rounds} rounds in turn, {arguments.workers} workers\n")
    # the peer's processor time is not to be had: it takes processes for each client, which are nobody's when they end
    print(f"| | {OURS} | lowest to highest | processor time | {PEER} | lowest to highest |\n|---|---|---|---|---|---|")
    for row in rows:
        ours, theirs = (results[row.name, side] for side in (OURS, PEER))
        unit, scale = row.cost_unit
        cost = statistics.median(one.cost_s for one in ours) * scale
        print(f"| {row.name}, {row.unit} | {_cells(ours)} | {cost:.3g} {unit} | {_cells(theirs)} |")
    print(f"\n| {OURS} compared with {PEER} | | bar | |\n|---|---|---|---|")
    for row in rows:
        ratio = _rate(results[row.name, OURS]) / _rate(results[row.name, PEER])
        aim = f" (aim {STRETCH_SMALL}x)" if row.bar == MIN_SMALL else ""
        print_bar(row.name, ratio, "x", f">= {row.bar}x{aim}", met=ratio >= row.bar)
    met = memory_mib <= MAX_WORKER_MIB
    print_bar("memory of a worker at rest", memory_mib, " MiB", f"<= {MAX_WORKER_MIB} MiB", met=met)


def _rate(measured: list[Measured]) -> float:
    return statistics.median(one.rate for one in measured)


def _cells(measured: list[Measured]) -> str:
    """Return two cells: the median, and the range."""
    rates = [one.rate for one in measured]
    return f"{_rate(measured):.4g} | {min(rates):.4g} to {max(rates):.4g}"
