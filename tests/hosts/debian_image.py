"""Debian's file tree for booted hosts: minbase with systemd, without Python or curl, made once and cached.

    debian_image()               # its layers, topmost first: (minbase,)
    debian_image("docker.io")    # the same with further packages: (packages, minbase)
    foreign_libraries("arm64", "libc6")

The suite is this machine's own; mirrors, proxies and other settings are those of its apt. A layer's name is the digest
of what goes into it, so that a change makes a new one. Whoever comes first makes it, others wait. The cache may be
removed at any time when no test runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hosts.requirements import require_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BASE_PACKAGES = ("systemd", "systemd-sysv", "dbus", "iproute2", "iptables")
# to be raised when layers are made in another way
RECIPE = 1
BUILT_WITHIN_S = 900
SCRIPTS = Path(__file__).parent


def cache_directory() -> Path:
    """Return where layers and stages lie: BUNDLER_TEST_HOSTS, or a directory in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    directory = Path(os.environ.get("BUNDLER_TEST_HOSTS") or cache / "kubeedge-bundler-test-hosts").absolute()
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def make_ready() -> None:
    """Make the smallest tree before tests ask for it; what keeps it from being made, they will say."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with suppress(pytest.skip.Exception, FileNotFoundError):
        require_root("debootstrap")
        debian_image()


def debian_image(*packages: str) -> tuple[Path, ...]:
    """Return the layers of a tree with further packages, topmost first, making what is not there.

    Where apt's archive cannot be reached the test is skipped, which CI forbids.
    """
    directory = cache_directory() / "layers"
    origin = (str(RECIPE), _suite(), platform.machine())

    def make_base(layer: Path) -> None:
        _run_script("make-minbase.sh", layer, *BASE_PACKAGES)

    base = made_layer((*origin, "minbase", *BASE_PACKAGES), make_base, directory)
    wanted = sorted(set(packages))
    if not wanted:
        return (base,)

    def add(layer: Path) -> None:
        _run_script("add-packages.sh", layer, str(base), *wanted)

    return (made_layer((*origin, base.name, *wanted), add, directory), base)


def foreign_libraries(architecture: str, *packages: str) -> Path:
    """Return a tree with packages for another machine, unpacked and never run: what its programs are linked with."""
    content = (str(RECIPE), _suite(), architecture, *packages)
    script = partial(_run_script, "unpack-foreign.sh")
    return made_layer(content, lambda layer: script(layer, architecture, *packages), cache_directory() / "layers")


def made_layer(content: tuple[str, ...], make: Callable[[Path], None], directory: Path) -> Path:
    """Return a layer of a directory, made when it is not there.

    Arguments:
        content: what it is made of; another content is another layer.
        make: fills an empty directory.
    """
    directory.mkdir(exist_ok=True)
    layer = directory / hashlib.sha256("\n".join(content).encode()).hexdigest()[:16]
    with locked(layer.with_suffix(".lock")):
        if not layer.exists():
            for left in directory.glob(f"{layer.name}.partial-*"):
                shutil.rmtree(left)
            unfinished = Path(tempfile.mkdtemp(prefix=f"{layer.name}.partial-", dir=directory))
            unfinished.chmod(0o755)
            make(unfinished)
            unfinished.rename(layer)
    return layer


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock; whoever else wants it waits."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _suite() -> str:
    return platform.freedesktop_os_release().get("VERSION_CODENAME", "")


def _run_script(name: str, layer: Path, *arguments: str) -> None:
    """Run one of our scripts in a namespace of mounts, so that none is left when it is interrupted."""
    # it ends with us; otherwise it would go on without our lock
    command = ["setpriv", "--pdeathsig=KILL"]
    command += ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-eu"]
    done = subprocess.run(
        [*command, SCRIPTS / name, layer, _suite(), *arguments],
        env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILT_WITHIN_S,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"{name} {' '.join(arguments)}: no such tree can be had:\n{done.stdout[-2000:]}")


if __name__ == "__main__":
    make_ready()
