"""The workers as the supervisor sees them: who lives, who has to be replaced, and when. Owns fork and wait."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mirror.shared.counters import Field, State
from mirror.supervisor.run_worker import live
from mirror.worker.control import Message, control_pair

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from mirror.supervisor.run_worker import Surroundings
    from mirror.worker.control import Control, Material

# a worker that dies at once is not replaced at once, for ever
FIRST_PAUSE_S = 0.0
SHORT_LIFE_S = 5.0
LONGEST_PAUSE_S = 5.0


@dataclass(slots=True)
class Member:
    """One worker's place, which outlives the process in it.

    Arguments:
        listeners: its sockets; connections wait in them while there is no process.
        registry: the one of them on which only the registry is answered, None for none.
        pid: 0 while there is none.
        due_s: when the next process is to be forked, on the monotonic clock; 0 while there is one.
        said: whether its process said `ready`.
        generation: with which its process began.
    """

    number: int
    protocol: str
    listeners: tuple[socket.socket, ...]
    registry: socket.socket | None = None
    pid: int = 0
    control: Control | None = None
    begun_s: float = 0.0
    due_s: float = 0.0
    pause_s: float = 0.0
    said: bool = False
    generation: int = 0


@dataclass(slots=True)
class Crew:
    """All workers.

    Arguments:
        log_descriptor: of the access log that new workers inherit, None for none.
        generation: counts the reloads; a new worker begins with the present one.
        begun: whether all workers have served at the same time.
    """

    around: Surroundings
    members: list[Member]
    material: Material
    log_descriptor: int | None
    generation: int = 1
    begun: bool = False
    by_pid: dict[int, Member] = field(default_factory=dict)

    def fork(self, member: Member) -> None:
        """Put a new process into a place. Raises OSError when the host has no room for one."""
        ours, theirs = control_pair()
        member.begun_s, member.due_s, member.said = time.monotonic(), 0.0, False
        member.generation = self.generation
        self.around.counters.slots[member.number].set(Field.STATE, State.STARTING)
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._let_go_of_others(member)
            live(
                self.around, member.number, member.protocol, member.listeners, member.registry, theirs,
                self.material, self.log_descriptor, self.generation, begun=self.begun,
            )  # fmt: skip
        theirs.close()
        member.pid, member.control = pid, ours
        self.by_pid[pid] = member

    def _let_go_of_others(self, member: Member) -> None:
        for other in self.members:
            if other is not member:
                _close(other.listeners)
                if other.control is not None:
                    other.control.close()

    def reap(self) -> list[tuple[Member, int]]:
        """Return the places whose processes have ended, each with its exit code (negative: the signal)."""
        ended: list[tuple[Member, int]] = []
        while self.by_pid:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            member = self.by_pid.pop(pid, None)
            if member is None:
                continue
            ended.append((member, os.waitstatus_to_exitcode(status)))
            member.pid = 0
            self.around.counters.slots[member.number].worker_ended()
            self.around.addresses.worker_ended(member.number)
        return ended

    def plan_successor(self, member: Member) -> float:
        """Decide when a dead worker is replaced: at once, unless it lived only for a moment. Returns the seconds."""
        now_s = time.monotonic()
        lived_s = now_s - member.begun_s
        short = lived_s < SHORT_LIFE_S and not member.said
        member.pause_s = min(LONGEST_PAUSE_S, max(0.1, member.pause_s * 2)) if short else FIRST_PAUSE_S
        member.due_s = now_s + member.pause_s
        return member.pause_s

    def due(self) -> list[Member]:
        """Return the places whose time for a new process has come."""
        now_s = time.monotonic()
        return [member for member in self.members if not member.pid and member.due_s and member.due_s <= now_s]

    def until_due_s(self) -> float | None:
        """Return the seconds until somebody is due, None when nobody is."""
        waits = [member.due_s for member in self.members if not member.pid and member.due_s]
        return max(0.0, min(waits) - time.monotonic()) if waits else None

    def tell_all(self, message: Message) -> None:
        """Send a message to everybody who lives."""
        for member in self.members:
            if member.pid and member.control is not None:
                member.control.send(message)

    def close_listeners(self) -> None:
        """Let nobody in any more; each worker closes its own end."""
        for member in self.members:
            _close(member.listeners)

    def kill_beginners(self) -> None:
        """End who serves nothing yet: it would hear of a stop only when all has been loaded, which may take hours."""
        for member in self.members:
            if member.pid and not member.said:
                with suppress(ProcessLookupError):
                    os.kill(member.pid, signal.SIGKILL)

    def kill_all(self) -> None:
        """End every process at once."""
        for pid in list(self.by_pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _close(listeners: Iterable[socket.socket]) -> None:
    for listener in listeners:
        listener.close()
