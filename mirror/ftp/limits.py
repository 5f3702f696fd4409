"""What one FTP worker puts up with. Frozen values; tests hand in shorter times."""

from __future__ import annotations

import resource
from dataclasses import dataclass

# of a path, in bytes (PATH_MAX); a command has a few more
MAX_LINE_BYTES = 4096 + 16
# bytes of one system call: large enough to be worth it, small enough that other clients get their turn
CHUNK_BYTES = 1024 * 1024
# a control connection, its data connection, the socket that waits for it, the file
_DESCRIPTORS_OF_A_SESSION = 4
_DESCRIPTORS_OF_THE_WORKER = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, and counts.

    Arguments:
        login_s: how long a client may take to log in, TLS included.
        idle_s: how long it may be silent afterwards.
        stall_s: how long a transfer may go on without a byte of progress; there is no limit on a whole transfer.
        connect_s: how long a data connection may take to come about.
        failure_delay_s: what a wrong password costs.
        attempts: wrong passwords before the client is sent away.
        sessions: control connections of one worker.
        sweep_s: how often the times are looked at.
        looks: how often a connection is left to a worker that has fewer.
        patience_s: how long sessions go on, and begin further transfers, once others have taken over.
    """

    login_s: float = 60.0
    idle_s: float = 300.0
    stall_s: float = 60.0
    connect_s: float = 30.0
    failure_delay_s: float = 3.0
    attempts: int = 3
    sessions: int = 4000
    sweep_s: float = 1.0
    looks: int = 10
    patience_s: float = 5.0


def affordable_sessions(wanted: int) -> int:
    """Return how many sessions the process has descriptors for, at most as many as wanted (getrlimit(2))."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (soft - _DESCRIPTORS_OF_THE_WORKER) // _DESCRIPTORS_OF_A_SESSION))
