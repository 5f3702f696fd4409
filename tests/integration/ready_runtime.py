"""A runtime that is pinned once in a run of the tests: bundles that bring it begin with its lock and its store.

To pin one takes pip and its index a quarter of a minute. `test_runtime.py`, which is about that, begins with nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.demo_journey.bundles import RUNTIME
from tests.hosts.debian_image import locked
from tests.integration.portable_python import portable_python

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NAME = "runtime"


@dataclass(frozen=True, slots=True)
class ReadyRuntime:
    """What a manifest with this runtime begins with.

    Arguments:
        entry: what stands at the end of the manifest.
        lock: has the pins of that entry.
        store: has all of its bytes; several builds may use it.
    """

    entry: str
    lock: Path
    store: Path

    def build(self, manifest: Path, archive: Path, *options: str) -> None:
        """Build a manifest that ends with the entry, as somebody does who has a lock of it before it was added to."""
        shutil.copy(self.lock, manifest.with_name(f"{manifest.stem}.lock.json"))
        _bundler("lock", str(manifest), "--store", str(self.store), *options)
        _bundler("build", str(manifest), "--store", str(self.store), "-o", str(archive), *options)


def runtime_of_run(paths: pytest.TempPathFactory, config: pytest.Config) -> ReadyRuntime:
    """Return the runtime that all workers of this run of the tests share."""
    own: Path = paths.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    return ready_runtime(shared, config.cache.mkdir("portable-python"))


def ready_runtime(directory: Path, cache: Path) -> ReadyRuntime:
    """Return the runtime, pinned by whoever comes first.

    Arguments:
        directory: that of this run of the tests, the same for all of its processes.
        cache: keeps the portable Python for later runs.
    """
    place = directory / NAME
    with locked(directory / f"{NAME}.lock"):
        python = portable_python(cache)
        entry = RUNTIME.format(url=python.as_uri(), digest=hashlib.sha256(python.read_bytes()).hexdigest())
        made = ReadyRuntime(entry, place / f"{NAME}.lock.json", place / "store")
        if not made.lock.exists():
            place.mkdir(exist_ok=True)
            manifest = place / f"{NAME}.yaml"
            manifest.write_text(f"version: 1\nname: {NAME}\nplatforms: [linux/amd64, linux/arm64]\n{entry}")
            _bundler("lock", str(manifest), "--store", str(made.store))
    return made


def _bundler(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "bundler", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
