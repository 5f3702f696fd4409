"""Processes and TCP ports as Linux tells them below /proc. proc(5): /proc/PID/stat, /proc/net/tcp. Reads nothing else.

Where /proc is not mounted there are none: callers that must know say so.
"""

from __future__ import annotations

import ipaddress
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bundler.host.interface import ListeningPort, Process

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC = Path("/proc")
# include/net/tcp_states.h
_ESTABLISHED, _LISTEN = 0x01, 0x0A
_SOCKET = "socket:["


class _TcpSocket(NamedTuple):
    state: int
    address: str
    port: int
    remote_port: int
    inode: str


def processes(proc: Path = PROC) -> tuple[Process, ...]:
    """Return all processes that can be seen, by their numbers; those that end meanwhile are left out."""
    return tuple(process for pid in _pids(proc) if (process := _process(proc, pid)) is not None)


def listening(proc: Path = PROC) -> tuple[ListeningPort, ...]:
    """Return the TCP ports that are listened on in this network namespace, each with the first process that has it."""
    ports = [connection for connection in _connections(proc) if connection.state == _LISTEN]
    holders = _holders(proc, {connection.inode for connection in ports})
    return tuple(sorted(ListeningPort(one.address, one.port, holders.get(one.inode, 0)) for one in ports))


def connected(port: int, proc: Path = PROC) -> bool:
    """Tell whether there is an established connection to a port, of whatever host."""
    return any(one.state == _ESTABLISHED and one.remote_port == port for one in _connections(proc))


def _pids(proc: Path) -> list[int]:
    try:
        return sorted(int(entry.name) for entry in proc.iterdir() if entry.name.isdecimal())
    except OSError:
        return []


def _process(proc: Path, pid: int) -> Process | None:
    try:
        text = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # a name may hold blanks and parentheses: it ends at the last one
    begin, end = text.find("("), text.rfind(")")
    if not 0 < begin < end:
        return None
    program = ""
    with suppress(OSError):
        program = str((proc / str(pid) / "exe").readlink())
    return Process(pid, text[begin + 1 : end], text[end + 2 : end + 3], program)


def _connections(proc: Path) -> Iterator[_TcpSocket]:
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            with suppress(ValueError, IndexError, struct.error):
                address, _, port = words[1].partition(":")
                remote_port = int(words[2].rpartition(":")[2], 16)
                yield _TcpSocket(int(words[3], 16), _address(address), int(port, 16), remote_port, words[9])


def _address(text: str) -> str:
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    # each word is in the order of the machine
    return str(ipaddress.ip_address(struct.pack(f"={len(words)}I", *words)))


def _holders(proc: Path, inodes: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for pid in _pids(proc):
        with suppress(OSError):
            for descriptor in (proc / str(pid) / "fd").iterdir():
                with suppress(OSError):
                    name = str(descriptor.readlink())
                    if name.startswith(_SOCKET) and (inode := name[len(_SOCKET) : -1]) in inodes:
                        found.setdefault(inode, pid)
    return found
