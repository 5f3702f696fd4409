"""A runtime for aarch64, built here with a real CPython and real packages, run by qemu-user with Debian's libraries."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from bundler.cli import bundler
from mirror.cli import mirror
from tests.hosts.debian_image import foreign_libraries
from tests.integration.mirror_program import LOOPBACK
from tests.integration.mirror_program import mirror as running_mirror
from tests.integration.portable_python import portable_python, runtime_entry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("runtime")]
# what Python and packages are linked with
LIBRARIES = ("libc6", "libgcc-s1", "zlib1g", "libbz2-1.0", "libuuid1")
PLATFORM = "linux/arm64"
SERVE = ("serve", "--http", f"{LOOPBACK}:0", "--ftp", f"{LOOPBACK}:0", "--workers", "1")
LOAD = """
from bundler.cli import bundler
from mirror.cli import mirror
import OpenSSL, backports.zstd, bcrypt, cffi, deflate, httptools, isal.isal_zlib, pyeclib.ec_iface, uvloop, yaml
import cryptography.hazmat.bindings._rust
commands = [group.get_command(None, name) for group in (bundler, mirror) for name in group.list_commands(None)]
print(sum(command is not None for command in commands))
"""


@dataclass(frozen=True, slots=True)
class ForeignRuntime:
    """An unpacked bundle whose runtime is for another machine.

    Arguments:
        libraries: the root of that machine's libraries.
    """

    tree: Path
    libraries: Path

    def command(self, *words: str) -> Sequence[str]:
        """Return what its Python is run with, as the launcher runs it."""
        runtime = self.tree / "runtime" / "aarch64"
        # this one does not look for libffi where it lies
        emulated = ["qemu-aarch64", "-L", str(self.libraries), "-E", f"LD_LIBRARY_PATH={runtime / 'lib'}"]
        return [*emulated, str(runtime / "bin" / "python3"), "-I", "-B", *words]

    def run(self, *words: str) -> str:
        """Run its Python; return what it printed."""
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> ForeignRuntime:
    """The runtime, which nothing on the way has run."""
    directory = tmp_path_factory.mktemp("build")
    python = portable_python(pytestconfig.cache.mkdir("portable-python"), "aarch64")
    entry = runtime_entry(python, PLATFORM)
    (directory / "site.yaml").write_text(f"version: 1\nname: site\nplatforms: [{PLATFORM}]\n{entry}")
    build = [sys.executable, "-m", "bundler", "build", "site.yaml", "--store", "store"]
    done = subprocess.run(build, cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with tarfile.open(directory / "site.tar.gz") as archive:
        archive.extractall(directory / "tree", filter="tar")
    return ForeignRuntime(directory / "tree", foreign_libraries("arm64", *LIBRARIES))


@pytest.mark.parametrize("program", ["bundler", "mirror"])
def test_its_programs_run(runtime: ForeignRuntime, program: str) -> None:
    assert runtime.run("-m", program, "--version").startswith(f"{program}, version ")


def test_all_that_the_target_needs_loads(runtime: ForeignRuntime) -> None:
    commands = [*bundler.list_commands(None), *mirror.list_commands(None)]  # type: ignore[arg-type]
    assert runtime.run("-c", LOAD).split() == [str(len(commands))]


def test_a_bundle_is_verified(runtime: ForeignRuntime) -> None:
    assert "files intact" in runtime.run("-m", "bundler", "verify", str(runtime.tree))


def test_the_mirror_serves(runtime: ForeignRuntime) -> None:
    command = runtime.command("-m", "mirror", *SERVE, "--root", str(runtime.tree))
    wanted = (runtime.tree / "bin" / "mirror").read_bytes()
    with running_mirror(runtime.tree, started_as=command) as it:
        for url in (f"{it.url}/bin/mirror", f"ftp://{LOOPBACK}:{it.ftp_port}/bin/mirror"):
            with urllib.request.urlopen(url) as answer:
                assert answer.read() == wanted
