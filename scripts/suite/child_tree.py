"""Every process that this one has started, however far down: the living are found, the dead are reaped.

A server that has left its parent behind stays below this process, because orphans are given to the nearest ancestor
that has asked for them (prctl(2), PR_SET_CHILD_SUBREAPER).
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
POLL_S = 0.05
# SIGKILL ends a process within moments, except one that waits for a disk
KILLED_WITHIN_S = 20


def adopt_orphans() -> None:
    """Ask for the orphans; whoever has asked has to reap them."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def reaped() -> dict[int, int]:
    """Reap every child that has ended; return pid -> exit code, below 0 the signal that ended it."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = os.waitstatus_to_exitcode(status)


def descendants() -> dict[int, str]:
    """Return the living processes below this one: pid -> command line."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (parent := _parent(entry)):
            below.setdefault(parent, []).append(int(entry.name))
    found, waiting = {}, [os.getpid()]
    while waiting:
        children = below.get(waiting.pop(), [])
        waiting += children
        found.update({pid: _command_line(pid) for pid in children})
    return found


def end_descendants(grace_s: float) -> tuple[list[str], list[str]]:
    """End all of them; return the command lines of those that were there, and of those that could not be ended.

    Arguments:
        grace_s: between SIGTERM, with which a server tidies up, and SIGKILL.
    """
    there = descendants()
    _signal(there, signal.SIGTERM)
    kill_at = time.monotonic() + grace_s
    while left := descendants():
        now = time.monotonic()
        if now > kill_at + KILLED_WITHIN_S:
            break
        if now > kill_at:
            _signal(left, signal.SIGKILL)
        reaped()
        time.sleep(POLL_S)
    return sorted(there.values()), sorted(left.values())


def _parent(entry: Path) -> int:
    """Return the parent of a living process, 0 where there is none."""
    try:
        # proc(5): the name before it may hold blanks and brackets
        state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return 0
    return 0 if state in "ZX" else int(parent)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def _signal(processes: dict[int, str], number: signal.Signals) -> None:
    for pid in processes:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            # it has ended meanwhile, or is another user's: then it is named as one that could not be ended
            continue
