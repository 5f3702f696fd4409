"""A host without Python: a root with busybox and glibc and nothing else, entered by chroot; no /proc, /sys or /dev."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUSYBOX = Path("/bin/busybox")
LOADER = "lib64/ld-linux-x86-64.so.2"
# what every system with glibc has, GCC's own library included; a runtime may be linked with nothing else
GLIBC = ("libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1", "libgcc_s.so.1")
COMMANDS = (
    *("sh", "ash", "tar", "gzip", "uname", "readlink", "cat", "ls", "ln", "mkdir", "sha256sum", "sleep", "wget"),
    *("awk", "df", "mv", "rm", "sync"),
)
PATH = {"PATH": "/usr/bin:/bin"}


@dataclass(frozen=True, slots=True)
class BareRoot:
    """The root directory; paths below are those that a program in it sees."""

    path: Path

    def run(
        self,
        *command: str,
        environment: Mapping[str, str] = PATH,
        user: int = 0,
        umask: int = 0o022,
        before: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run a program in it, and return how it ended; `before` is a program of this machine that runs chroot."""
        return subprocess.run(
            [*before, "/usr/sbin/chroot", f"--userspec={user}:{user}", str(self.path), *command],
            env={**environment},
            umask=umask,
            capture_output=True,
            text=True,
            check=False,
        )


def make_bare_root(path: Path, *, glibc: bool = True) -> BareRoot:
    """Make a root; without glibc it is one of a system with another C library, as far as programs can tell."""
    if os.geteuid() != 0:
        pytest.skip("chroot takes root")
    for name in ("bin", "tmp", "etc", "lib64", "lib/x86_64-linux-gnu", "opt"):
        (path / name).mkdir(parents=True)
    path.chmod(0o755)
    (path / "tmp").chmod(0o1777)
    (path / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    (path / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    shutil.copy(BUSYBOX, path / "bin")
    for command in COMMANDS:
        (path / "bin" / command).symlink_to("busybox")
    if glibc:
        shutil.copy(f"/{LOADER}", path / LOADER)
        for name in GLIBC:
            shutil.copy(Path("/lib/x86_64-linux-gnu") / name, path / "lib/x86_64-linux-gnu")
    return BareRoot(path)
