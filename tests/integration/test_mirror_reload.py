"""What a reload takes over, what it leaves as it was, and what it tells."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.integration.mirror_program import mirror
from tests.integration.raw_http import connected
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from pathlib import Path

SMALL = b"small\n"
CONTENTS = {"big": bytes(1000), "small": SMALL}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "root", CONTENTS)


def test_a_bad_users_file_stays_without_effect_when_a_worker_dies_later(root: Path, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("anna:$2y$04$Pi9F5F8I2AsMjIlztKync.j9E0ND2UZcKqkxmbPX6MVjZSqMbO0.i\n")
    with mirror(root, "--users", str(users)) as running:
        users.write_text("anna:plain\n")
        running.signal(signal.SIGHUP)
        running.told("[serve-users-invalid]")
        (before,) = running.workers()
        os.kill(before, signal.SIGKILL)
        running.told("ended by signal 9")
        with connected(running.port) as wire:
            assert wire.get("/-/health").status == 200
        assert running.told_times("[serve-users-invalid]") == 1


def test_a_reload_tells_what_is_served_from_then_on(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write_bundle(root / "old", CONTENTS, name="old")
    write_bundle(root / "new", {"small": SMALL}, name="new")
    (root / "current").symlink_to("old")
    with mirror(root) as running:
        (root / "current").unlink()
        (root / "current").symlink_to("new")
        running.reload()
        assert "at /@new/ and at /" in running.told("new 2025.03")
        (root / "new" / "bundle.json").write_text("{}")
        running.reload(2)
        running.told("new is left out")
        running.told("nothing is current")


def test_a_reload_that_finds_nothing_says_so(root: Path) -> None:
    with mirror(root) as running:
        (root / "bundle.json").unlink()
        running.reload()
        running.told("nothing is served")
        assert running.health()[0] == 503


def test_the_successor_of_a_dead_worker_serves_what_the_others_serve(root: Path) -> None:
    with mirror(root) as running:
        (root / "SHA256SUMS").unlink()
        os.kill(running.workers()[0], signal.SIGKILL)
        running.told("ended by signal 9")
        with connected(running.port) as wire:
            assert wire.get("/small").body == SMALL
            # what is gone is told when somebody asks for it, and by a reload
            assert wire.get("/SHA256SUMS").status == 503
            assert wire.get("/-/health").status == 503


def test_a_root_that_was_replaced_as_a_whole_is_told(root: Path) -> None:
    with mirror(root) as running:
        running.reload()
        assert running.told_times("restart") == 0
        root.rename(root.with_name("old"))
        write_bundle(root, {"other": b""})
        running.reload(2)
        assert str(root) in running.told("restart")
