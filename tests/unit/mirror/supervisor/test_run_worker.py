"""What a new worker process does before it serves, and how it ends: real processes that do what a test says."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mirror.supervisor.privileges import WorkerUser
from mirror.supervisor.run_worker import EXIT_BUG, EXIT_FAILED
from mirror.worker.control import KeyFiles, Message
from tests.unit.mirror.in_a_child import NOBODY
from tests.unit.mirror.supervisor.pools import ended, pool_of, received, serves

if TYPE_CHECKING:
    from mirror.worker.worker import Worker

IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE)
USERS = "ann:$2y$04$Pi9F5F8I2AsMjIlztKync.j9E0ND2UZcKqkxmbPX6MVjZSqMbO0.i\n"


def reports_what_it_has(worker: Worker) -> None:
    has = {
        "number": worker.number,
        "listening": [listener.getsockname()[1] for listener in worker.listeners],
        "generation": worker.serving.generation,
        "bundles": [bundle.title for bundle in worker.serving.site.bundles],
        "users": worker.serving.users is not None,
        "slot is its own": worker.slot is worker.counters.slots[worker.number],
        "log": worker.log.wanted,
        "name": Path("/proc/self/comm").read_text().strip(),
    }
    worker.control.send(Message("ready", text=json.dumps(has)))


def test_a_worker_has_what_all_have_and_what_is_its_own(root: Path, tmp_path: Path) -> None:
    (tmp_path / "users").write_text(USERS)
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT, 0o600)
    with pool_of(root, reports_what_it_has, workers=2, log=log, users=tmp_path / "users") as pool:
        pool.generation = 7
        worker = pool.workers[1]
        pool.fork(worker)
        assert json.loads(received(worker.control).text) == {
            "number": 1,
            "listening": [worker.listeners[0].getsockname()[1]],
            "generation": 7,
            "bundles": ["demo 2025.03"],
            "users": True,
            "slot is its own": True,
            "log": True,
            "name": "mirror-http",
        }
        assert ended(pool) == [(1, 0)]
    os.close(log)


def test_signals_are_for_the_supervisor(root: Path) -> None:
    with pool_of(root, serves) as pool:
        (worker,) = pool.workers
        pool.fork(worker)
        assert received(worker.control).word == "ready"
        for number in IGNORED:
            os.kill(worker.pid, number)
        pool.broadcast(Message("stop"))
        assert ended(pool) == [(0, 0)]


def test_a_worker_without_rights_may_not_get_any_back(root: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")

    def tries(worker: Worker) -> None:
        try:
            os.setuid(0)
        except PermissionError:
            worker.control.send(Message("ready", text=f"{os.getresuid()} {os.getresgid()} {os.getgroups()}"))

    with pool_of(root, tries) as pool:
        pool.environment = replace(pool.environment, user=WorkerUser("nobody", NOBODY, NOBODY))
        (worker,) = pool.workers
        pool.fork(worker)
        same = (NOBODY, NOBODY, NOBODY)
        assert received(worker.control) == Message("ready", text=f"{same} {same} []")
        assert ended(pool) == [(0, 0)]


def never(_: Worker) -> None:
    raise AssertionError("it may not come that far")


def test_what_cannot_be_opened_is_reported_and_ends_it(root: Path) -> None:
    (root / "users").write_text(USERS)
    with pool_of(root, never, users=root / "users") as pool:
        (worker,) = pool.workers
        pool.key_files, pool.generation = KeyFiles(users=b"ann:plain"), 3
        pool.fork(worker)
        message = received(worker.control)
        assert (message.word, message.generation) == ("failed", 3)
        assert "[serve-users-invalid]" in message.text
        assert ended(pool) == [(0, EXIT_FAILED)]


def test_a_mistake_of_ours_is_reported_with_its_traceback_in_the_log(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(_: Worker) -> None:
        raise KeyError("lost")

    with pool_of(root, fails) as pool:
        (worker,) = pool.workers
        pool.fork(worker)
        assert received(worker.control) == Message("failed", text="KeyError: 'lost'", generation=1)
        assert ended(pool) == [(0, EXIT_BUG)]
    assert "Traceback" in capfd.readouterr().err
