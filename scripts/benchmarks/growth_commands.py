"""The commands that are measured at a size, on inputs that a process of its own has made."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

BUNDLER = str(Path(sys.executable).with_name("bundler"))
Commands = list[tuple[str, list[str]]]


def _make(side: str, directory: Path, count: int, host: str = "") -> None:
    # in a process of its own: a parent's memory would count as its children's peak
    command = [sys.executable, "-m", "scripts.benchmarks.growth_inputs", side, str(directory), str(count), host]
    subprocess.run(command, check=True)


@contextmanager
def _files(directory: Path, count: int) -> Iterator[Commands]:
    _make("files", directory, count)
    yield _of_a_manifest(directory)


@contextmanager
def _images(directory: Path, count: int) -> Iterator[Commands]:
    command = [sys.executable, "-m", "scripts.benchmarks.endless_registry"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as registry:
        host = f"localhost:{(registry.stdout or sys.stdin).readline().strip()}"
        try:
            _make("images", directory, count, host)
            push = [BUNDLER, "push-images", "--root", str(directory / "tree"), "--via", "registry", "--plain-http"]
            yield [*_of_a_manifest(directory), ("push-images, all there", [*push, "--registry", host])]
        finally:
            registry.terminate()


@contextmanager
def _packages(directory: Path, count: int) -> Iterator[Commands]:
    _make("packages", directory, count)
    lock, other = str(directory / "growth.lock.json"), str(directory / "other.lock.json")
    yield [
        ("inspect LOCK", [BUNDLER, "inspect", lock]),
        ("diff LOCK LOCK, all changed", [BUNDLER, "diff", lock, other]),
        ("store prune", [BUNDLER, "store", "prune", lock, "--store", str(directory / "store")]),
    ]


def _of_a_manifest(directory: Path) -> Commands:
    manifest, lock = str(directory / "growth.yaml"), str(directory / "growth.lock.json")
    archive, tree = str(directory / "growth.tar.gz"), str(directory / "tree")
    store = ["--store", str(directory / "store")]
    build = [BUNDLER, "build", manifest, *store, "-o", archive]
    return [
        ("check", [BUNDLER, "check", manifest]),
        ("build, cold", build),
        ("build, warm", build),
        ("plan", [BUNDLER, "plan", manifest, *store]),
        ("lock", [BUNDLER, "lock", manifest, *store]),
        ("inspect LOCK", [BUNDLER, "inspect", lock]),
        ("inspect ARCHIVE --json", [BUNDLER, "inspect", archive, "--json"]),
        ("diff LOCK ARCHIVE", [BUNDLER, "diff", lock, archive]),
        ("verify ARCHIVE", [BUNDLER, "verify", archive]),
        ("unpack", [BUNDLER, "unpack", archive, "-C", tree]),
        ("verify TREE", [BUNDLER, "verify", tree]),
        ("store info", [BUNDLER, "store", "info", *store]),
        ("store prune", [BUNDLER, "store", "prune", lock, *store]),
    ]


# name -> what makes an empty directory's content, of so many, and yields the commands in their order
SIDES: dict[str, Callable[[Path, int], AbstractContextManager[Commands]]] = {
    "files": _files,
    "images": _images,
    "packages": _packages,
}
