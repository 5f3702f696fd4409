"""Who listens on a port, as far as this user may see it: /proc/net/tcp and the descriptors of processes (proc(5))."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from bundler.translation import tr

_LISTEN = "0A"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


def port_holder(port: int) -> str:
    """Return `PROGRAM (pid N)` for a process that listens on a TCP port, "" when none can be seen."""
    wanted = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not wanted:
        return ""
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and _holds(process, wanted):
            return tr("{program} (pid {name})", program=_program(process), name=process.name)
    return ""


def _listening_inodes(port: int) -> set[str]:
    inodes: set[str] = set()
    for table in _TABLES:
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                    inodes.add(columns[9])
    return inodes


def _holds(process: Path, sockets: set[str]) -> bool:
    with suppress(OSError), os.scandir(process / "fd") as descriptors:
        for descriptor in descriptors:
            # it may be closed, and the process gone, between two calls
            with suppress(OSError):
                if str(Path(descriptor.path).readlink()) in sockets:
                    return True
    return False


def _program(process: Path) -> str:
    with suppress(OSError):
        return (process / "comm").read_text().strip()
    return "a process"
