"""The same lock gives the same bytes on any processor: the demo is built on emulated ones, old and new."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.demo_bundle import demo_upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
# without SSE4.2 and PCLMUL, what hypervisors show by default; with them; with AVX2
PROCESSORS = ("qemu64", "kvm64", "Nehalem", "Haswell")
EMULATION_S = 600


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """The address of the demo's upstream."""
    with demo_upstream() as address:
        yield address


def built(directory: Path, upstream: str, *emulator: str) -> tuple[str, str]:
    """Build the demo in a new directory, by an emulator or natively; return the digests of its lock and archive."""
    directory.mkdir()
    shutil.copy(ROOT / "manifests" / "demo.yaml", directory)
    python = str(Path(sys.executable).resolve())
    command = [*emulator, python, "-m", "bundler", "build", "demo.yaml", "--set", f"upstream={upstream}"]
    done = subprocess.run(
        [*command, "-o", "demo.tar.gz", "--store", "store"],
        cwd=directory,
        # the interpreter itself, not the environment's link to it, is what an emulator can start
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in (str(ROOT), *sys.path) if path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=EMULATION_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lock, archive = (
        hashlib.sha256((directory / name).read_bytes()).hexdigest() for name in ("demo.lock.json", "demo.tar.gz")
    )
    return lock, archive


@pytest.fixture(scope="module")
def here(upstream: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The digests of what this machine itself builds."""
    return built(tmp_path_factory.mktemp("native") / "here", upstream)


@pytest.mark.parametrize("processor", PROCESSORS)
def test_an_emulated_processor_gives_the_bytes_of_this_one(
    processor: str, upstream: str, here: tuple[str, str], tmp_path: Path
) -> None:
    assert built(tmp_path / "there", upstream, "qemu-x86_64", "-cpu", processor) == here
