"""The worker pool: what a process has of it, who ended and how, and when a dead worker is replaced."""

from __future__ import annotations

import os
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from mirror.shared.counters import Field, State
from mirror.supervisor.workers import MAX_BACKOFF_S, SHORT_LIFE_S, PooledWorker, WorkerPool
from mirror.worker.control import KeyFiles, Message
from tests.unit.mirror.supervisor.pools import commands, ended, pool_of, received, serves

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.worker.worker import Worker


# when


@pytest.fixture
def worker() -> Iterator[PooledWorker]:
    with socket.socket() as listener:
        yield PooledWorker(0, "http", (listener,))


@pytest.fixture
def pool(worker: PooledWorker) -> WorkerPool:
    # nothing is forked here, so nothing of the environment is used
    environment: Any = None
    return WorkerPool(environment, [worker], KeyFiles(), None)


def test_one_that_served_is_replaced_at_once(pool: WorkerPool, worker: PooledWorker) -> None:
    worker.forked_s, worker.is_ready = time.monotonic(), True
    assert pool.schedule_restart(worker) == 0.0
    assert pool.due() == [worker]
    assert pool.until_due_s() == 0.0


def test_one_that_took_long_to_begin_is_replaced_at_once(pool: WorkerPool, worker: PooledWorker) -> None:
    worker.forked_s = time.monotonic() - SHORT_LIFE_S - 1
    assert pool.schedule_restart(worker) == 0.0


def test_one_that_never_serves_is_replaced_ever_later(pool: WorkerPool, worker: PooledWorker) -> None:
    pauses = []
    for _ in range(10):
        worker.forked_s, worker.is_ready = time.monotonic(), False
        pauses.append(pool.schedule_restart(worker))
    assert pauses == sorted(pauses)
    assert pauses[0] > 0
    assert pauses[-1] == pauses[-2] == MAX_BACKOFF_S
    assert pool.due() == []
    waits = pool.until_due_s()
    assert waits is not None
    assert 0 < waits <= MAX_BACKOFF_S
    worker.forked_s, worker.is_ready = time.monotonic(), True
    assert pool.schedule_restart(worker) == 0.0


def test_nobody_is_due_while_everybody_lives(pool: WorkerPool, worker: PooledWorker) -> None:
    assert pool.until_due_s() is None
    worker.pid, worker.restart_at_s = 1, 1.0
    assert pool.until_due_s() is None
    assert pool.due() == []


# who


@pytest.mark.parametrize("shares", [False, True])
def test_a_process_has_no_channel_of_the_others_and_no_socket_that_it_does_not_share(root: Path, shares: bool) -> None:
    def holds(worker: Worker) -> None:
        inodes = []
        for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - of descriptors, not of paths
            try:
                inodes.append(os.readlink(f"/proc/self/fd/{name}"))  # noqa: PTH115 - no path, but a text
            except FileNotFoundError:
                continue
        worker.control.send(Message("ready", text=" ".join(inodes)))
        for message in commands(worker):
            if message.word == "stop":
                return

    def name(descriptor: int) -> str:
        return os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 - no path, but a text

    def names(worker: PooledWorker) -> set[str]:
        assert worker.control is not None
        return {name(listener.fileno()) for listener in worker.listeners} | {name(worker.control.fileno())}

    with pool_of(root, holds, workers=2) as pool:
        first, second = pool.workers
        second.others = first.listeners if shares else ()
        pool.fork(first)
        pool.fork(second)
        has = set(received(second.control).text.split())
        (listener,) = second.listeners
        assert name(listener.fileno()) in has
        assert has & names(first) == ({name(first.listeners[0].fileno())} if shares else set())
        assert not names(second) <= has
        pool.broadcast(Message("stop"))
        assert ended(pool) == [(0, 0), (1, 0)]


def test_the_counters_show_who_starts_and_who_ended(root: Path) -> None:
    with pool_of(root, serves) as pool:
        (worker,) = pool.workers
        (slot,) = pool.environment.counters.slots
        addresses = pool.environment.addresses
        pool.fork(worker)
        assert slot.get(Field.STATE) in (State.STARTING, State.READY)
        assert received(worker.control).word == "ready"
        assert slot.get(Field.STATE) == State.READY
        assert addresses.admit(0, "192.0.2.1")
        assert addresses.admit(0, "192.0.2.1")
        assert not addresses.admit(0, "192.0.2.1")
        os.kill(worker.pid, signal.SIGKILL)
        assert ended(pool) == [(0, -signal.SIGKILL)]
        assert (worker.pid, pool.by_pid) == (0, {})
        assert (slot.get(Field.STATE), slot.get(Field.RESTARTS)) == (State.ABSENT, 1)
        assert addresses.admit(0, "192.0.2.1")


def test_a_child_that_is_no_worker_is_nobody_s_end(root: Path) -> None:
    with pool_of(root, serves) as pool:
        (worker,) = pool.workers
        pool.fork(worker)
        stranger = os.fork()
        if not stranger:
            os._exit(0)
        os.waitid(os.P_PID, stranger, os.WEXITED | os.WNOWAIT)
        assert pool.reap() == []
        assert pool.by_pid == {worker.pid: worker}
        pool.broadcast(Message("stop"))
        assert ended(pool) == [(0, 0)]


def test_children_that_somebody_else_has_waited_for_stop_nothing(root: Path) -> None:
    with pool_of(root, serves) as pool:
        (worker,) = pool.workers
        pool.fork(worker)
        pool.broadcast(Message("stop"))
        os.waitpid(worker.pid, 0)
        assert pool.reap() == []
        pool.by_pid.clear()


def test_messages_go_to_those_who_live(root: Path) -> None:
    with pool_of(root, serves, workers=2) as pool:
        living, absent = pool.workers
        pool.fork(living)
        assert received(living.control).word == "ready"
        pool.broadcast(Message("reload", generation=4, key_files=KeyFiles()))
        assert received(living.control) == Message("reloaded", text="generation 4", generation=4)
        assert absent.control is None
        pool.broadcast(Message("stop"))
        assert ended(pool) == [(0, 0)]


def test_only_those_that_serve_nothing_yet_are_killed_before_they_do(root: Path) -> None:
    with pool_of(root, serves, workers=2) as pool:
        for worker in pool.workers:
            pool.fork(worker)
            assert received(worker.control).word == "ready"
        pool.workers[0].is_ready = True
        pool.kill_starting()
        pool.broadcast(Message("stop"))
        assert ended(pool) == [(0, 0), (1, -signal.SIGKILL)]
        # who is gone already cannot be killed twice
        pool.kill_starting()
        pool.kill_all()


def test_listeners_close_here_and_stay_open_there(root: Path) -> None:
    with pool_of(root, serves) as pool:
        (worker,) = pool.workers
        address = worker.listeners[0].getsockname()
        pool.fork(worker)
        assert received(worker.control).word == "ready"
        pool.close_listeners()
        socket.create_connection(address).close()
        pool.broadcast(Message("stop"))
        assert ended(pool) == [(0, 0)]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
