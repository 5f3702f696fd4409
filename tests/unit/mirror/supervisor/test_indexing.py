"""The process that reads what is served: what it hands over, what it says when it cannot, what it holds."""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING

import pytest

from mirror.supervisor.indexing import Indexing
from mirror.tree.site_loading import open_site
from mirror.worker.control import KeyFiles
from tests.unit.mirror.supervisor.pools import PATIENCE_S, pool_of, serves

if TYPE_CHECKING:
    from pathlib import Path

    from mirror.supervisor.workers import WorkerPool


def indexed(pool: WorkerPool, key_files: KeyFiles | None = None) -> Indexing:
    """Have a root read by a process, and wait for its end."""
    indexing = Indexing.begin(pool, key_files or KeyFiles())
    while not indexing.receive():
        assert select.select([indexing.control], [], [], PATIENCE_S)[0], "nothing came"
    indexing.end()
    with pytest.raises(ChildProcessError):
        os.waitpid(indexing.process.pid, os.WNOHANG)
    return indexing


def test_a_worker_can_open_what_it_hands_over_and_nobody_can_change_it(root: Path) -> None:
    with pool_of(root, serves) as pool:
        descriptor = indexed(pool).descriptor
        assert descriptor is not None
        site = open_site(descriptor, pool.environment.root, ())
        assert [bundle.title for bundle in site.bundles] == ["demo 2025.03"]
        with pytest.raises(OSError):  # noqa: PT011 - EPERM of a seal, or EBADF
            os.write(descriptor, b"x")
        os.close(descriptor)


def test_what_cannot_be_read_is_told(root: Path) -> None:
    with pool_of(root, serves) as pool:
        (root / "bundle.json").write_text("{")
        failure = indexed(pool).failure
        assert "[bundle-damaged]" in failure
        assert str(root) in failure


def test_what_no_worker_could_take_over_is_told(root: Path) -> None:
    (root / "users").write_text("ann:plain")
    with pool_of(root, serves, users=root / "users") as pool:
        assert "[serve-users-invalid]" in indexed(pool, KeyFiles(users=b"ann:plain")).failure


def test_the_mirror_does_not_begin_with_nothing_but_goes_on_with_it(root: Path) -> None:
    with pool_of(root, serves) as pool:
        (root / "bundle.json").unlink()
        assert "[serve-root-unusable]" in indexed(pool).failure
        pool.has_started = True
        descriptor = indexed(pool).descriptor
        assert descriptor is not None
        assert open_site(descriptor, pool.environment.root, ()).bundles == ()
        os.close(descriptor)


def test_one_that_is_killed_has_failed(root: Path) -> None:
    with pool_of(root, serves) as pool:
        indexing = Indexing.begin(pool, KeyFiles())
        os.kill(indexing.process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, indexing.process.pid, os.WEXITED | os.WNOWAIT)
        assert indexing.receive()
        indexing.end()
        assert bool(indexing.failure) is (indexing.descriptor is None)
