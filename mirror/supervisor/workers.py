"""The worker pool: which processes live, which have to be replaced, and when. Owns fork and wait."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mirror.shared.counters import Field, State
from mirror.supervisor.run_worker import WorkerStart, run_worker
from mirror.worker.control import Message, control_pair

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable

    from mirror.supervisor.run_worker import WorkerEnvironment
    from mirror.worker.control import ControlChannel, KeyFiles

# a process that ends sooner, without having been ready, is replaced after a pause that doubles every time
SHORT_LIFE_S = 5.0
FIRST_BACKOFF_S = 0.1
MAX_BACKOFF_S = 5.0


@dataclass(slots=True)
class PooledWorker:
    """One worker of the pool, which outlives its processes: there is one of them at a time, or none.

    Arguments:
        number: its place in the pool.
        listeners: its sockets; connections wait in them while there is no process.
        registry: the one of them on which only the registry is answered, None for none.
        others: sockets of other workers that it takes connections from too.
        pid: of its process, 0 while there is none.
        control: the channel to its process, None while there is none.
        forked_s: when its last process was forked, on the monotonic clock.
        restart_at_s: when the next process is to be forked, on the monotonic clock; 0 while there is one.
        backoff_s: how long the last restart had to wait.
        is_ready: whether its process has reported `ready`.
        generation: with which its process began.
    """

    number: int
    protocol: str
    listeners: tuple[socket.socket, ...]
    registry: socket.socket | None = None
    others: tuple[socket.socket, ...] = ()
    pid: int = 0
    control: ControlChannel | None = None
    forked_s: float = 0.0
    restart_at_s: float = 0.0
    backoff_s: float = 0.0
    is_ready: bool = False
    generation: int = 0


@dataclass(slots=True)
class WorkerPool:
    """All workers.

    Arguments:
        key_files: what new workers begin with.
        log_descriptor: of the access log that new workers inherit, None for none.
        index: descriptor of the packed site that new workers begin with, None before there is one.
        generation: counts the reloads; a new worker begins with the present one.
        has_started: whether all workers have been ready at the same time.
    """

    environment: WorkerEnvironment
    workers: list[PooledWorker]
    key_files: KeyFiles
    log_descriptor: int | None
    index: int | None = None
    generation: int = 1
    has_started: bool = False
    by_pid: dict[int, PooledWorker] = field(default_factory=dict)

    def fork(self, worker: PooledWorker) -> None:
        """Give a worker a new process. Raises OSError when the host has no room for one."""
        ours, theirs = control_pair()
        worker.forked_s, worker.restart_at_s, worker.is_ready = time.monotonic(), 0.0, False
        worker.generation = self.generation
        self.environment.counters.slots[worker.number].set(Field.STATE, State.STARTING)
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._close_others(worker)
            run_worker(self.environment, self._start(worker, theirs))
        theirs.close()
        worker.pid, worker.control = pid, ours
        self.by_pid[pid] = worker

    def _start(self, worker: PooledWorker, control: ControlChannel) -> WorkerStart:
        assert self.index is not None  # noqa: S101 - no worker is forked before
        return WorkerStart(
            number=worker.number,
            protocol=worker.protocol,
            listeners=(*worker.listeners, *worker.others),
            registry=worker.registry,
            control=control,
            key_files=self.key_files,
            log_descriptor=self.log_descriptor,
            index=self.index,
            generation=self.generation,
        )

    def close_all(self) -> None:
        """Close every socket and channel, in a process that has no use for any."""
        for worker in self.workers:
            _close(worker.listeners)
            if worker.control is not None:
                worker.control.close()

    def _close_others(self, worker: PooledWorker) -> None:
        for other in self.workers:
            if other is not worker:
                _close(listener for listener in other.listeners if listener not in worker.others)
                if other.control is not None:
                    other.control.close()

    def reap(self) -> list[tuple[PooledWorker, int]]:
        """Return the workers whose processes have ended, each with its exit code (negative: the signal)."""
        ended: list[tuple[PooledWorker, int]] = []
        while self.by_pid:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            worker = self.by_pid.pop(pid, None)
            if worker is None:
                continue
            ended.append((worker, os.waitstatus_to_exitcode(status)))
            worker.pid = 0
            self.environment.counters.slots[worker.number].worker_ended()
            self.environment.addresses.worker_ended(worker.number)
            self.environment.ftp_shares.worker_ended(worker.number)
        return ended

    def schedule_restart(self, worker: PooledWorker) -> float:
        """Decide when a worker without a process gets a new one, and return the seconds until then.

        At once, unless the last one lived only for a moment.
        """
        now_s = time.monotonic()
        short = now_s - worker.forked_s < SHORT_LIFE_S and not worker.is_ready
        worker.backoff_s = min(MAX_BACKOFF_S, max(FIRST_BACKOFF_S, worker.backoff_s * 2)) if short else 0.0
        worker.restart_at_s = now_s + worker.backoff_s
        return worker.backoff_s

    def due(self) -> list[PooledWorker]:
        """Return the workers whose time for a new process has come."""
        now_s = time.monotonic()
        return [worker for worker in self.workers if _waits(worker) and worker.restart_at_s <= now_s]

    def until_due_s(self) -> float | None:
        """Return the seconds until a worker is due, None when none is."""
        times = [worker.restart_at_s for worker in self.workers if _waits(worker)]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def broadcast(self, message: Message) -> None:
        """Send a message to every process."""
        for worker in self.workers:
            if worker.pid and worker.control is not None:
                worker.control.send(message)

    def close_listeners(self) -> None:
        """Let nobody in any more; each process closes its own end."""
        for worker in self.workers:
            _close(worker.listeners)

    def kill_starting(self) -> None:
        """End every process that serves nothing yet: it would read a `stop` after loading, which may take hours."""
        for worker in self.workers:
            if worker.pid and not worker.is_ready:
                _kill(worker.pid)

    def kill_all(self) -> None:
        """End every process at once."""
        for pid in list(self.by_pid):
            _kill(pid)


def _waits(worker: PooledWorker) -> bool:
    return not worker.pid and worker.restart_at_s > 0


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _close(listeners: Iterable[socket.socket]) -> None:
    for listener in listeners:
        listener.close()
