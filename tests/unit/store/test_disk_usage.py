from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bundler.store.disk_usage import max_file_bytes, mounted_kind

if TYPE_CHECKING:
    from pathlib import Path

MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
61 22 8:17 / /media/my\\040stick rw,relatime shared:33 - vfat /dev/sdb1 rw,fmask=0022
62 22 0:44 / /mnt/share rw - fuse.sshfs host:/ rw
"""


def test_the_mount_table_names_the_file_system_of_a_device() -> None:
    lines = MOUNTS.splitlines()
    assert mounted_kind(lines, os.makedev(8, 17)) == "vfat"
    assert mounted_kind(lines, os.makedev(0, 44)) == "fuse.sshfs"
    assert mounted_kind(lines, os.makedev(8, 18)) == ""


def test_a_directory_that_is_not_there_yet_has_a_file_system(tmp_path: Path) -> None:
    assert max_file_bytes(tmp_path / "out" / "later") is None
