"""`mirror serve` and nginx beside servers made of a Python framework, one worker each, on the same bundle (ADR 16).

Owns the frameworks' programs, each as short and as quick as its documentation allows. Installs nothing: the interpreter
that has the frameworks is named by --python, so that they stay out of the project's own environment.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.benchmarks.measure import MIB
from scripts.benchmarks.serve import CLIENT_CORE, SERVER_CORE, large_row, small_row, spread
from scripts.benchmarks.serve_load import Load, Measured, on_core
from scripts.benchmarks.serve_sides import (
    PEER,
    check_bytes,
    default_mirror,
    free_port,
    http_side,
    mirror_side,
    nginx_side,
    program,
)
from scripts.benchmarks.serve_tree import make_tree

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence

    from scripts.benchmarks.serve import Row
    from scripts.benchmarks.serve_sides import Side
    from scripts.benchmarks.serve_tree import ServedTree

SUMMARY = "serve files by a Python framework, by the mirror and by nginx, one worker each"
LARGE_CONNECTIONS, SMALL_CONNECTIONS = (1, 8), 64
NGINX_CONNECTIONS = 1024


@dataclass(frozen=True, slots=True)
class Framework:
    """A server that somebody would write in an afternoon.

    Arguments:
        packages: to be installed for it; none for what Python itself has.
        source: its program; the root is its first argument, the port of loopback its second.
    """

    packages: tuple[str, ...]
    source: str


_AIOHTTP = """
import pathlib, sys
from aiohttp import web
root, app = pathlib.Path(sys.argv[1]), web.Application()
{routes}
web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None)
"""
# what no framework does by itself and the mirror does: the bytes of small files are there before they are asked for
_IN_MEMORY = """
kept = {f"/small/{file.name}": file.read_bytes() for file in (root / "small").iterdir()}
async def answer(request):
    body = kept.get(request.path)
    return web.FileResponse(root / request.path[1:]) if body is None else web.Response(body=body)
app.router.add_get("/{path:.*}", answer)
"""
_STARLETTE = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.staticfiles import StaticFiles
app = Starlette()
app.mount("/", StaticFiles(directory=sys.argv[1]))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
"""
_STANDARD_LIBRARY = """
import functools, http.server, sys
http.server.SimpleHTTPRequestHandler.protocol_version = "HTTP/1.1"
http.server.SimpleHTTPRequestHandler.log_message = lambda *_: None
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), handler).serve_forever()
"""
FRAMEWORKS: Mapping[str, Framework] = {
    "aiohttp": Framework(("aiohttp",), _AIOHTTP.replace("{routes}", 'app.router.add_static("/", root)')),
    "aiohttp-in-memory": Framework(("aiohttp",), _AIOHTTP.replace("{routes}", _IN_MEMORY)),
    "starlette": Framework(("starlette", "uvicorn"), _STARLETTE),
    "http.server": Framework((), _STANDARD_LIBRARY),
}
_VERSIONS = """
import sys
from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in sys.argv[1:]))
"""
USUAL = ("aiohttp", "aiohttp-in-memory")

Results = dict[tuple[str, str], list[Measured]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--framework",
        nargs="+",
        default=list(USUAL),
        choices=sorted(FRAMEWORKS),
        metavar="NAME",
        help=f"which ({', '.join(FRAMEWORKS)}; default {' '.join(USUAL)})",
    )
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has them (default: this one)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    parser.add_argument("--seconds", type=int, default=2, help="of each measurement (default 2)")
    parser.add_argument("--pin", action="store_true", help="servers on core 0, clients on core 1")
    parser.add_argument("--size", type=int, default=64, metavar="MIB", help="of a large file (default 64)")
    parser.add_argument("--files", type=int, default=600, help="small files (default 600)")
    parser.add_argument("--directory", default="/dev/shm", help="where to work (default /dev/shm: no disk is measured)")  # noqa: S108 - the point is a file system in memory


def run(arguments: argparse.Namespace) -> None:
    """Measure and print."""
    program("nginx"), program("wrk")
    versions = _versions(arguments.python, arguments.framework)
    rows = [large_row(arguments.size, connections) for connections in LARGE_CONNECTIONS]
    rows.append(small_row(SMALL_CONNECTIONS))
    with tempfile.TemporaryDirectory(prefix="bundler-bench-", dir=arguments.directory) as name:
        directory = Path(name)
        tree = make_tree(directory / "tree", large_bytes=arguments.size * MIB, small_files=arguments.files)
        results = _measure(arguments, rows, tree, directory)
    _print(arguments, rows, results, versions)


def _versions(python: str, names: Sequence[str]) -> str:
    """Return what is measured; ends the benchmark, saying what to install, where the interpreter lacks it."""
    packages = sorted({package for name in names for package in FRAMEWORKS[name].packages})
    done = subprocess.run([python, "-c", _VERSIONS, *packages], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"scripts/bench: {python} lacks some of {', '.join(packages)}. Install them elsewhere and name that:\n"
            f"  python3 -m venv DIR && DIR/bin/pip install {' '.join(packages)}\n"
            "  scripts/bench framework --python DIR/bin/python"
        )
    return done.stdout.strip()


def _measure(arguments: argparse.Namespace, rows: Sequence[Row], tree: ServedTree, directory: Path) -> Results:
    """Run all servers side by side, and put every load on one after the other."""
    results: Results = {}
    load = Load(tree, 1, arguments.seconds, CLIENT_CORE if arguments.pin else None)
    with ExitStack() as started:
        started.enter_context(on_core(SERVER_CORE if arguments.pin else None))
        sides = [
            started.enter_context(mirror_side(default_mirror(), tree.root, 1, directory)),
            started.enter_context(nginx_side(tree.root, 1, directory, NGINX_CONNECTIONS)),
            *(started.enter_context(_side(name, arguments.python, tree, directory)) for name in arguments.framework),
        ]
        for side in sides:
            check_bytes(side, tree)
        for number in range(arguments.rounds):
            # whoever comes first finds other caches
            turn = sides[number % len(sides) :] + sides[: number % len(sides)]
            for row in rows:
                for side in turn:
                    results.setdefault((row.name, side.name), []).append(row.measure(side, load))
    return results


@contextmanager
def _side(name: str, python: str, tree: ServedTree, directory: Path) -> Iterator[Side]:
    port = free_port()
    command = [python, "-c", FRAMEWORKS[name].source, str(tree.root), str(port)]
    with http_side(name, command, port, directory) as side:
        yield side


def _print(arguments: argparse.Namespace, rows: Sequence[Row], results: Results, versions: str) -> None:
    processors = len(os.sched_getaffinity(0))
    print(f"{processors} processors, {platform.machine()}, Python {platform.python_version()}, ", end="")
    print(f"{versions}; files in {arguments.directory}, medians of {arguments.rounds} rounds in turn, ", end="")
    print(f"{arguments.seconds} s each, one worker{', servers and clients on a core each' if arguments.pin else ''}\n")
    print(f"| | server | median | lowest to highest | processor time | of {PEER}'s rate |\n|---|---|---|---|---|---|")
    for row in rows:
        of_peer = _median_rate(results[row.name, PEER])
        for (name, server), rounds in results.items():
            if name != row.name:
                continue
            rate = spread([one.rate / row.scale for one in rounds])
            cost = statistics.median(one.cost_s for one in rounds) * row.cost_scale
            print(f"| {row.name}, {row.unit} | {server} | {rate} | ", end="")
            print(f"{cost:.3g} {row.cost_unit} | {_median_rate(rounds) / of_peer:.3g}x |")


def _median_rate(rounds: Sequence[Measured]) -> float:
    return statistics.median(one.rate for one in rounds)
