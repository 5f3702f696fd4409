"""A runtime that is pinned once in a run of the tests: bundles that bring it begin with its lock and its store.

To pin one takes pip and its index half a minute of computing. `test_runtime.py`, which is about that, begins with
nothing, and so does `scripts/demo` where no test has pinned one for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hosts.debian_image import locked
from tests.integration.portable_python import portable_python, runtime_entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

NAME = "runtime"
# where a test has pinned one, for a script that it runs
PINNED_VARIABLE = "BUNDLER_TEST_RUNTIME"


@dataclass(frozen=True, slots=True)
class ReadyRuntime:
    """What a manifest with this runtime begins with.

    Arguments:
        place: where all of it lies.
    """

    place: Path

    @property
    def entry(self) -> str:
        """What stands at the end of the manifest."""
        return (self.place / "entry.yaml").read_text()

    @property
    def lock(self) -> Path:
        """A lock with the pins of that entry."""
        return self.place / f"{NAME}.lock.json"

    @property
    def store(self) -> Path:
        """A store with all of its bytes; several builds may use it."""
        return self.place / "store"

    @property
    def environment(self) -> Mapping[str, str]:
        """What has a script begin with it."""
        return {PINNED_VARIABLE: str(self.place)}

    def build(self, manifest: Path, archive: Path, *options: str) -> None:
        """Build a manifest that ends with the entry, as somebody does who has a lock of it before it was added to."""
        shutil.copy(self.lock, manifest.with_name(f"{manifest.stem}.lock.json"))
        _bundler("lock", str(manifest), "--store", str(self.store), *options)
        _bundler("build", str(manifest), "--store", str(self.store), "-o", str(archive), *options)


def ready_runtime(directories: pytest.TempPathFactory, config: pytest.Config) -> ReadyRuntime:
    """Return the runtime of this run of the tests, pinned by whichever of its processes comes first."""
    own = directories.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    made = ReadyRuntime(shared / NAME)
    with locked(shared / f"{NAME}.lock"):
        if not made.lock.exists():
            made.place.mkdir(exist_ok=True)
            entry = runtime_entry(portable_python(config.cache.mkdir("portable-python")))
            (made.place / "entry.yaml").write_text(entry)
            manifest = made.place / f"{NAME}.yaml"
            manifest.write_text(f"version: 1\nname: {NAME}\nplatforms: [linux/amd64, linux/arm64]\n{entry}")
            _bundler("lock", str(manifest), "--store", str(made.store))
    return made


def given_runtime() -> ReadyRuntime | None:
    """Return what a test has pinned for this process, None where nobody has."""
    place = os.environ.get(PINNED_VARIABLE)
    return None if place is None else ReadyRuntime(Path(place))


def _bundler(*words: str) -> None:
    done = subprocess.run([sys.executable, "-m", "bundler", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
