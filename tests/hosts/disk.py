"""A disk that can lose power: ext4 in a file, mounted by a loop device.

`cut_power` shuts the file system down, so that nothing more is written, not even what it holds in memory, and puts a
copy of the file in its place. What was not synced is lost then, for ext4 does without what makes a missing fsync work
most of the time. What had reached the device stays there: a disk that loses its own cache is not played.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from typing import TYPE_CHECKING

from tests.hosts.enclosure import succeed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hosts.enclosure import Enclosure

# linux/fs.h: EXT4_IOC_SHUTDOWN is _IOR('X', 125, __u32); 2 leaves the journal unwritten
SHUTDOWN = 2 << 30 | 4 << 16 | ord("X") << 8 | 125
WITHOUT_JOURNAL = 2
# sparse: only what is written takes room
DISK_BYTES = 4 << 30
# ext4(5): no commit by itself after 5 s, so that no test depends on how fast it is, and none of data before a rename
MOUNT_OPTIONS = "loop,noinit_itable,commit=600,noauto_da_alloc"
RELEASED_WITHIN_S = 20
POLL_S = 0.02


class Disk:
    """An empty disk.

    Arguments:
        file: a new one, that holds it.
        mount: where it is mounted inside the enclosure.
    """

    def __init__(self, enclosure: Enclosure, file: Path, mount: Path) -> None:
        self._enclosure = enclosure
        self._file = file
        self._mount = mount
        with file.open("xb") as opened:
            opened.truncate(DISK_BYTES)
        succeed("mkfs.ext4", "-q", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", file)

    def attach(self) -> None:
        """Mount it, playing back its journal."""
        self._enclosure.do("mkdir", "-p", self._mount)
        self._enclosure.do("mount", "-o", MOUNT_OPTIONS, self._file, self._mount)

    def cut_power(self) -> None:
        """Stop the mounted disk, and keep it as it is at this moment."""
        opened = os.open(self._enclosure.outside(self._mount), os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(opened, SHUTDOWN, struct.pack("I", WITHOUT_JOURNAL))
        finally:
            os.close(opened)
        cut = self._file.with_suffix(".cut")
        self.copy_to(cut)
        cut.rename(self._file)

    def wait_until_released(self) -> None:
        """Wait until all is written after it was unmounted."""
        retried(self._assert_released)

    def copy_to(self, file: Path) -> None:
        """Copy it, as far as it is written."""
        succeed("cp", "--sparse=always", self._file, file)

    def copy_from(self, file: Path) -> None:
        """Make an unmounted disk what a copy is."""
        succeed("cp", "--sparse=always", file, self._file)

    def _assert_released(self) -> None:
        used = succeed("losetup", "--associated", self._file)
        assert not used, used


def retried(action: Callable[[], object]) -> None:
    """Do what fails with an AssertionError while a host that has just ended still holds its mounts."""
    until = time.monotonic() + RELEASED_WITHIN_S
    while True:
        try:
            action()
        except AssertionError:
            if time.monotonic() > until:
                raise
            time.sleep(POLL_S)
        else:
            return
