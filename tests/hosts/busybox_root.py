"""A host without anything but busybox: a file tree for chroot, for scripts that may want no more than sh.

    root = busybox_root(tmp_path / "root")
    root.run("sh", "/install.sh", "--plan").code

Neither /proc nor /sys nor /dev/shm is there. The directory is the tree, which tests write into.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.hosts.commands import COMMAND_WITHIN_S, ENVIRONMENT, run_command
from tests.hosts.requirements import require_root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bundler.host.interface import CommandResult

DIRECTORIES = ("bin", "dev", "etc", "opt", "root", "tmp", "usr", "var")
# what a command may open without our saying so
DEVICES = {"null": (1, 3), "zero": (1, 5), "urandom": (1, 9)}


@dataclass(frozen=True, slots=True)
class BusyboxRoot:
    """A tree that is entered by chroot.

    Arguments:
        directory: of this machine, that is / inside.
    """

    directory: Path

    def run(self, *command: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> CommandResult:
        """Run a program inside, in a plain environment and what is added; 127 where there is none."""
        line = ["chroot", str(self.directory), *command]
        return run_command(line, stdin, COMMAND_WITHIN_S, {**ENVIRONMENT, **(env or {})})


def busybox_root(directory: Path) -> BusyboxRoot:
    """Make a tree in a new directory. Skips the test without root, or without a static busybox."""
    require_root("busybox", "chroot")
    for name in DIRECTORIES:
        (directory / name).mkdir(parents=True)
    (directory / "tmp").chmod(0o1777)
    shutil.copy(str(shutil.which("busybox")), directory / "bin" / "busybox")
    for name, (major, minor) in DEVICES.items():
        os.mknod(directory / "dev" / name, 0o20666, os.makedev(major, minor))
    subprocess.run(
        ["chroot", directory, "/bin/busybox", "--install", "-s", "/bin"], check=True, timeout=COMMAND_WITHIN_S
    )
    return BusyboxRoot(directory)
