"""The running mirror follows the bundles of its root by itself: no signal, no failed request, no cut transfer."""

from __future__ import annotations

import os
import random
import shutil
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bundler.archive.bundle_removal import remove_bundle
from bundler.archive.bundle_root import opened_root
from bundler.archive.unpack_beside import unpack_beside
from bundler.model.progress import Unwatched
from bundler.source.open_source import open_source
from tests.integration.mirror_program import eventually, mirror
from tests.integration.raw_http import connected, request
from tests.unit.archive.bundles import CONTENTS, sample
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.mirror_program import Mirror

pytestmark = pytest.mark.integration
# more than all buffers between two sockets hold
BIG = random.Random(3).randbytes(16 << 20)
SMALL_WINDOW = 16384
CLIENTS = 4


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with two bundles, `old` being current."""
    write_bundle(tmp_path / "root/old", {"which": b"old", "big": BIG})
    write_bundle(tmp_path / "root/new", {"which": b"new", "big": BIG[::-1]}, name="next")
    activate(tmp_path / "root", "old")
    return tmp_path / "root"


def activate(root: Path, name: str) -> None:
    with opened_root(root) as handle:
        handle.activate(name)


def served(running: Mirror, target: str = "/which") -> tuple[int, bytes]:
    with connected(running.port) as wire:
        answer = wire.get(target, "Connection: close")
        return answer.status, answer.body


def has_more_than(answers: list[tuple[int, bytes]], count: int) -> bool:
    return len(answers) > count


@contextmanager
def asking(running: Mirror, target: str, clients: int = CLIENTS) -> Iterator[list[tuple[int, bytes]]]:
    """Ask for one file again and again on several connections; give what came back, whole at the block's end."""
    ended = threading.Event()
    answers: list[tuple[int, bytes]] = []
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            with connected(running.port) as wire:
                while not ended.is_set():
                    answer = wire.get(target)
                    answers.append((answer.status, answer.body))
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        eventually(lambda: answers or failed, "somebody was answered")
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert failed == []


def test_an_activation_and_its_undoing_are_followed_under_load_and_no_request_fails(root: Path) -> None:
    with mirror(root, "--workers", "2") as running:
        with asking(running, "/which") as answers:
            for times, name in enumerate(("new", "old", "new"), start=1):
                activate(root, name)
                running.told("mirror: reloaded", times)
                begin = len(answers)
                eventually(partial(has_more_than, answers, begin + 20), "more was asked for")
                # what was on its way when it was told: one for each client, however late that comes to note it
                assert sum(answer != (200, name.encode()) for answer in answers[begin:]) <= CLIENTS
        assert set(answers) == {(200, b"old"), (200, b"new")}
        assert running.told_times("mirror: reloaded") == 3
        assert running.health()[0] == 200


def test_a_transfer_ends_on_the_bundle_that_it_began_on(root: Path) -> None:
    with mirror(root) as running, connected(running.port, receive_bytes=SMALL_WINDOW) as wire:
        wire.send(request("/big", "Connection: close"))
        activate(root, "new")
        running.told("mirror: reloaded")
        assert served(running) == (200, b"new")
        assert wire.answer().body == BIG


def test_an_inactive_bundle_may_go_and_a_staged_one_is_nobodys(tmp_path: Path) -> None:
    older, newer = sample(tmp_path), sample(tmp_path, {**CONTENTS, "more": b"more"})
    root = tmp_path / "root"
    names: list[str] = []
    for made in (older, newer):
        made.write(tmp_path / "made.tar.gz")
        with open_source(str(tmp_path / "made.tar.gz")) as reader:
            names.append(unpack_beside(reader, root, Unwatched(), activate=not names).directory.name)
    with mirror(root) as running:
        assert served(running, f"/@{names[1]}/more") == (200, b"more")
        write_bundle(root / ".staged.partial")
        with opened_root(root) as handle:
            remove_bundle(handle, names[1], deactivate=False)
        running.told("mirror: reloaded")
        assert served(running, f"/@{names[1]}/more")[0] == 404
        assert served(running, "/@.staged.partial/bundle.json")[0] == 404
        assert running.health()[0] == 200
        assert running.told_times("mirror: reloaded") == 1


def test_a_link_that_leads_nowhere_is_told_and_a_good_one_again(root: Path) -> None:
    with mirror(root) as running:
        (root / "current").unlink()
        (root / "current").symlink_to("../elsewhere")
        running.told("nothing is current")
        assert served(running)[0] == 404
        assert running.health()[0] == 503
        activate(root, "new")
        eventually(lambda: served(running) == (200, b"new"), "the new one is served")
        assert running.health()[0] == 200


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's mirror becomes somebody who may not read all of root's")
def test_what_was_closed_to_its_user_is_served_once_it_may_be_read(root: Path) -> None:
    with mirror(root) as running:
        (root / "new").chmod(0o700)
        activate(root, "new")
        running.told("cannot be read by this user")
        assert (served(running)[0], running.health()[0]) == (404, 503)
        (root / "new").chmod(0o755)
        eventually(lambda: served(running) == (200, b"new"), "what may be read again is served")
        assert running.health()[0] == 200


def test_a_directory_in_the_place_of_the_link_is_told_until_it_is_moved_away(root: Path) -> None:
    with mirror(root) as running:
        (root / "current").unlink()
        write_bundle(root / "current")
        running.told("current is no link")
        assert (served(running)[0], running.health()[0]) == (404, 503)
        (root / "current").rename(root / "mistaken")
        activate(root, "new")
        eventually(lambda: served(running) == (200, b"new"), "the new one is served")
        eventually(lambda: running.health()[0] == 200, "health is green again")


def test_two_activations_at_once_end_with_the_last(root: Path) -> None:
    with mirror(root) as running:
        threads = [threading.Thread(target=activate, args=(root, name)) for name in ("new", "old") * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        activate(root, "new")
        eventually(lambda: served(running) == (200, b"new"), "the last one is served")


def test_bundles_come_and_go_in_a_root_that_is_one(tmp_path: Path) -> None:
    root = write_bundle(tmp_path / "root", {"which": b"the root's own"})
    with mirror(root) as running:
        write_bundle(tmp_path / "next", {"which": b"next"})
        (tmp_path / "next").rename(root / "next")
        running.told("mirror: reloaded")
        assert served(running) == (200, b"the root's own")
        assert served(running, "/@next/which") == (200, b"next")
        activate(root, "next")
        running.told("mirror: reloaded", 2)
        assert served(running) == (200, b"next")
        assert served(running, "/@./which") == (200, b"the root's own")
        activate(root, ".")
        running.told("mirror: reloaded", 3)
        assert served(running) == (200, b"the root's own")


def test_a_root_that_was_replaced_as_a_whole_is_told_once_and_the_old_one_served_on(root: Path) -> None:
    with mirror(root) as running:
        root.rename(root.with_name("before"))
        write_bundle(root, {"which": b"somebody else's"})
        assert str(root) in running.told("restart the mirror")
        activate(root.with_name("before"), "new")
        running.told("mirror: reloaded")
        assert served(running) == (200, b"new")
        assert running.told_times("restart the mirror") == 1


def test_what_cannot_be_taken_over_is_told_once_and_the_old_one_served_on(tmp_path: Path) -> None:
    root = write_bundle(tmp_path / "root", {"which": b"whole"})
    with mirror(root) as running:
        shutil.copy(root / "bundle.json", tmp_path / "kept")
        (root / "bundle.json").unlink()
        (root / "bundle.json").write_text("{")
        running.told("nothing is reloaded")
        assert served(running) == (200, b"whole")
        (tmp_path / "kept").rename(root / "bundle.json")
        running.told("mirror: reloaded")
        assert running.told_times("nothing is reloaded") == 1
        assert running.health()[0] == 200
