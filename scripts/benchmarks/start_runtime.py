"""`--version` by the runtime that a bundle brings, and by a virtual environment of the same Python and packages.

Both lie on a disk, so that they can be cold: their files are taken out of the kernel's memory before each run. The
Python is the one that tests have in the place of python-build-standalone's (tests/integration/portable_python.py).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from functools import partial
from pathlib import Path

from scripts.benchmarks.measure import Contender
from tests.integration.portable_python import portable_python, runtime_entry
from tests.integration.ready_runtime import given_runtime

BUNDLED, BESIDE = "bin/bundler --version", "the same in a virtual environment"
STATES = ("warm", "cold")
MAX_RATIO = 1.3
# where the tests keep it
CACHE = Path(".pytest_cache/d/portable-python")
MANIFEST = "version: 1\nname: start\nplatforms: [linux/amd64]\n"
SCRIPT = """#!{python}
import sys
from bundler.__main__ import main
if __name__ == "__main__":
    sys.exit(main())
"""


def runtime_contenders(directory: Path) -> list[Contender]:
    """Make both in a directory on a disk, and return them warm and cold; CalledProcessError without the Python."""
    CACHE.mkdir(parents=True, exist_ok=True)
    python = portable_python(CACHE)
    bundle, base, beside = directory / "bundle", directory / "base", directory / "beside"
    _unpack_bundle(python, directory, bundle)
    with tarfile.open(python) as archive:
        archive.extractall(base, filter="tar")
    _make_environment(base / "python", bundle, beside)
    commands = {BUNDLED: str(bundle / "bin/bundler"), BESIDE: str(beside / "bin/bundler")}
    trees = {BUNDLED: (bundle,), BESIDE: (base, beside)}
    cleanings = {"warm": lambda _: None, "cold": _forget}
    return [
        Contender(f"{name}, {state}", [command, "--version"], partial(cleanings[state], trees[name]))
        for state in STATES
        for name, command in commands.items()
    ]


def _unpack_bundle(python: Path, directory: Path, bundle: Path) -> None:
    manifest, store, given = directory / "start.yaml", directory / "store", given_runtime()
    manifest.write_text(MANIFEST + (given.entry if given else runtime_entry(python.resolve())))
    if given:
        store = given.store
        shutil.copy(given.lock, directory / "start.lock.json")
    options = ["--store", str(store)]
    for words in (
        ["lock", str(manifest), *options],
        ["build", str(manifest), *options, "-o", str(directory / "start.tar.gz")],
        ["unpack", str(directory / "start.tar.gz"), "-C", str(bundle)],
    ):
        subprocess.run([sys.executable, "-m", "bundler", *words], check=True, capture_output=True)


def _make_environment(python: Path, bundle: Path, beside: Path) -> None:
    """Make a virtual environment with what the bundle's runtime has; its first run, which does not count, compiles."""
    program = python / "bin/python3"
    subprocess.run([program, "-m", "venv", "--without-pip", beside], check=True)
    [packages] = bundle.glob("runtime/*/lib/python*/site-packages")
    [place] = beside.glob("lib/python*/site-packages")
    shutil.copytree(packages, place, dirs_exist_ok=True)
    (beside / "bin/bundler").write_text(SCRIPT.format(python=beside / "bin/python3"))
    (beside / "bin/bundler").chmod(0o755)


def _forget(trees: tuple[Path, ...]) -> None:
    """Have the kernel drop what it holds of all files of some trees (posix_fadvise(2)); they have been written."""
    for path in (path for tree in trees for path in tree.rglob("*")):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fdatasync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
