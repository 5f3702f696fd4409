"""A FUSE file system over a directory: chosen places of its files cannot be read, and no file may be too large.

Run as a program with a specification, which is JSON: `backing`, `mount`, `max_file_bytes` and `bad`, by the name of a
file a list of [begin, end]. A file that takes the place of a bad one lies elsewhere on the medium, and is good.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mfusepy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOUNTED_WITHIN_S = 60
POLL_S = 0.05
Ranges = list[tuple[int, int]]


@contextmanager
def bad_medium(
    backing: Path, mount: Path, *, bad: Mapping[str, Sequence[tuple[int, int]]] = {}, max_file_bytes: int = 1 << 40
) -> Iterator[None]:
    """Mount the file system for as long as the context lasts."""
    specification = {"backing": str(backing), "mount": str(mount), "bad": bad, "max_file_bytes": max_file_bytes}
    mount.mkdir(exist_ok=True)
    process = subprocess.Popen([sys.executable, "-m", __name__, json.dumps(specification)])
    try:
        until = time.monotonic() + MOUNTED_WITHIN_S
        while not mount.is_mount():
            assert process.poll() is None, "it has ended"
            assert time.monotonic() < until, "it is not mounted"
            time.sleep(POLL_S)
        yield
    finally:
        subprocess.run(["fusermount3", "-u", mount], check=process.poll() is None)
        process.wait(MOUNTED_WITHIN_S)


class BadMedium(mfusepy.Operations):
    """See the module."""

    use_ns = True

    def __init__(self, backing: str, bad: Mapping[str, Ranges], max_file_bytes: int) -> None:
        self._backing = backing
        # open for good: the number of a file that is gone would be given to the next one
        bad_files = {os.open(self._real(f"/{name}"), os.O_RDONLY): ranges for name, ranges in bad.items()}
        self._bad = {os.fstat(descriptor).st_ino: ranges for descriptor, ranges in bad_files.items()}
        self._max_file_bytes = max_file_bytes

    def _real(self, path: str) -> Path:
        return Path(self._backing + path)

    def getattr(self, path: str, fh: Any = None) -> dict[str, Any]:
        del fh
        status = self._real(path).lstat()
        names = ("st_mode", "st_size", "st_uid", "st_gid", "st_nlink", "st_ino")
        times = {f"st_{name}": getattr(status, f"st_{name}_ns") for name in ("atime", "mtime", "ctime")}
        return {name: getattr(status, name) for name in names} | times

    def readdir(self, path: str, fh: Any) -> list[str]:
        del fh
        return [".", "..", *(entry.name for entry in self._real(path).iterdir())]

    def statfs(self, path: str) -> dict[str, int]:
        room = os.statvfs(self._real(path))
        return {name: getattr(room, name) for name in ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_frsize")}

    def open(self, path: str, flags: int) -> int:
        return os.open(self._real(path), flags & ~os.O_NOFOLLOW)

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        del fi
        return os.open(self._real(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        del path
        if any(begin < offset + size and offset < end for begin, end in self._bad.get(os.fstat(fh).st_ino, [])):
            raise mfusepy.FuseOSError(errno.EIO)
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        del path
        if offset + len(data) > self._max_file_bytes:
            raise mfusepy.FuseOSError(errno.EFBIG)
        return os.pwrite(fh, data, offset)

    def truncate(self, path: str, length: int, fh: Any = None) -> None:
        del fh
        if length > self._max_file_bytes:
            raise mfusepy.FuseOSError(errno.EFBIG)
        os.truncate(self._real(path), length)

    def release(self, path: str, fh: int) -> int:
        del path
        os.close(fh)
        return 0

    def unlink(self, path: str) -> None:
        self._real(path).unlink()

    def rename(self, old: str, new: str) -> None:
        self._real(old).rename(self._real(new))

    def chmod(self, path: str, mode: int) -> None:
        self._real(path).chmod(mode)


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    medium = BadMedium(wanted["backing"], wanted["bad"], wanted["max_file_bytes"])
    mfusepy.FUSE(medium, wanted["mount"], foreground=True, nothreads=True)
