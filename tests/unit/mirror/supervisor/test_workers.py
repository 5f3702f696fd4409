"""When a dead worker is replaced: at once, unless it never served."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from mirror.supervisor.workers import MAX_BACKOFF_S, SHORT_LIFE_S, PooledWorker, WorkerPool
from mirror.worker.control import KeyFiles

if TYPE_CHECKING:
    from collections.abc import Iterator


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
