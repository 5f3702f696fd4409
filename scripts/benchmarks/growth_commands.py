"""The commands that are measured at a size, on inputs that a process of its own has made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

BUNDLER = str(Path(sys.executable).with_name("bundler"))
# what a row is called, and its command; "" for what is not measured. Each is made when those before it have ended
Commands = Iterator[tuple[str, list[str]]]
NOT_MEASURED = ""
PART_SIZE = "4MiB"


@contextmanager
def _files(directory: Path, count: int) -> Iterator[Commands]:
    _make("files", directory, count)
    yield _of_files(_Paths(directory))


@contextmanager
def _images(directory: Path, count: int) -> Iterator[Commands]:
    command = [sys.executable, "-m", "scripts.benchmarks.endless_registry"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as registry:
        host = f"localhost:{(registry.stdout or sys.stdin).readline().strip()}"
        try:
            _make("images", directory, count, host)
            yield _of_images(_Paths(directory), host)
        finally:
            registry.terminate()


@contextmanager
def _packages(directory: Path, count: int) -> Iterator[Commands]:
    _make("packages", directory, count)
    yield _of_packages(_Paths(directory))


def _make(side: str, directory: Path, count: int, host: str = "") -> None:
    # in a process of its own, so that this one stays small
    command = [sys.executable, "-m", "scripts.benchmarks.growth_inputs", side, str(directory), str(count), host]
    subprocess.run(command, check=True)


@dataclass(frozen=True, slots=True)
class _Paths:
    """Where the inputs and results of one size lie."""

    directory: Path

    def __call__(self, name: str) -> str:
        """Return the path of a file."""
        return str(self.directory / name)

    @property
    def store(self) -> list[str]:
        """The option that names the store."""
        return ["--store", self("store")]


def _of_files(at: _Paths) -> Commands:
    yield from _of_a_manifest(at)
    yield from _of_deltas(at)
    yield from _of_a_root(at)


def _of_images(at: _Paths, host: str) -> Commands:
    yield from _of_a_manifest(at)
    push = [BUNDLER, "push-images", "--root", at("tree"), "--via", "registry", "--plain-http", "--registry", host]
    yield "push-images, all there", push


def _of_packages(at: _Paths) -> Commands:
    lock, other = at("growth.lock.json"), at("other.lock.json")
    yield "inspect LOCK", [BUNDLER, "inspect", lock]
    yield "diff LOCK LOCK, all changed", [BUNDLER, "diff", lock, other]
    yield "store prune", [BUNDLER, "store", "prune", lock, *at.store]


def _of_a_manifest(at: _Paths) -> Commands:
    manifest, lock, archive, tree = at("growth.yaml"), at("growth.lock.json"), at("growth.tar.gz"), at("tree")
    build = [BUNDLER, "build", manifest, *at.store, "-o", archive]
    yield "check", [BUNDLER, "check", manifest]
    yield "build, cold", build
    yield "build, warm", build
    yield "plan", [BUNDLER, "plan", manifest, *at.store]
    yield "lock", [BUNDLER, "lock", manifest, *at.store]
    yield "inspect LOCK", [BUNDLER, "inspect", lock]
    yield "inspect ARCHIVE --json", [BUNDLER, "inspect", archive, "--json"]
    yield "diff LOCK ARCHIVE", [BUNDLER, "diff", lock, archive]
    yield "report", [BUNDLER, "report", archive, "-o", at("report.html")]
    yield "verify ARCHIVE", [BUNDLER, "verify", archive]
    yield "unpack", [BUNDLER, "unpack", archive, "-C", tree]
    yield "verify TREE", [BUNDLER, "verify", tree]
    yield "store info", [BUNDLER, "store", "info", *at.store]
    yield "store prune", [BUNDLER, "store", "prune", lock, *at.store]


def _of_deltas(at: _Paths) -> Commands:
    archive, following, delta = at("growth.tar.gz"), at("next.tar.gz"), at("delta.tar.gz")
    manifest = at("next.yaml")
    yield NOT_MEASURED, [BUNDLER, "build", manifest, *at.store, "-o", following]
    yield "plan --base", [BUNDLER, "plan", manifest, *at.store, "--base", archive]
    yield "build --base", [BUNDLER, "build", manifest, *at.store, "-o", delta, "--base", archive]
    yield "merge", [BUNDLER, "merge", archive, delta, "-o", at("merged.tar.gz")]
    yield "diff ARCHIVE ARCHIVE", [BUNDLER, "diff", archive, following]
    yield "report --against", [BUNDLER, "report", following, "--against", archive, "-o", at("report.html")]
    yield "sbom", [BUNDLER, "sbom", archive, "-o", at("bill.json")]
    yield "sbom --format spdx", [BUNDLER, "sbom", archive, "--format", "spdx", "-o", at("bill.json")]
    yield NOT_MEASURED, [BUNDLER, "keygen", at("growth")]
    yield "sign", [BUNDLER, "sign", archive, "--sign", at("growth.key")]
    yield NOT_MEASURED, ["mkdir", at("parts")]
    yield "split", [BUNDLER, "split", archive, "--size", PART_SIZE, "-o", at("parts")]


def _of_a_root(at: _Paths) -> Commands:
    root = at("root")
    yield "unpack --root", [BUNDLER, "unpack", at("growth.tar.gz"), "--root", root, "--activate"]
    [first] = _bundles(root)
    yield "unpack --root, a delta", [BUNDLER, "unpack", at("delta.tar.gz"), "--root", root]
    [completed] = _bundles(root) - {first}
    yield NOT_MEASURED, [BUNDLER, "remove", completed, "--root", root]
    yield "unpack --root, beside another", [BUNDLER, "unpack", at("next.tar.gz"), "--root", root]
    yield "bundles", [BUNDLER, "bundles", "--root", root]
    [second] = _bundles(root) - {first}
    yield "activate", [BUNDLER, "activate", second, "--root", root]
    yield "remove", [BUNDLER, "remove", first, "--root", root]


def _bundles(root: str) -> set[str]:
    return {path.name for path in Path(root).glob("growth-*")}


# name -> what makes an empty directory's content, of so many, and yields the commands in their order
SIDES: dict[str, Callable[[Path, int], AbstractContextManager[Commands]]] = {
    "files": _files,
    "images": _images,
    "packages": _packages,
}
