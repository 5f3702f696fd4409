"""The active bundle's mirror takes over from the running one: same process, same sockets, no lost request."""

from __future__ import annotations

import ftplib
import platform
import random
import subprocess
import sys
import sysconfig
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.archive.bundle_root import opened_root
from tests.integration.mirror_program import eventually, mirror
from tests.integration.raw_http import TIMEOUT_S, connected, request
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from tests.integration.mirror_program import Mirror

pytestmark = pytest.mark.integration
PROJECT = Path(__file__).parents[2]
BIG = random.Random(5).randbytes(16 << 20)
SMALL_WINDOW = 16384


def bundle(directory: Path) -> Path:
    """Write a bundle that brings the tool, of the shape that the kind `runtime` gives it; its Python is this one's."""
    write_bundle(directory, {"which": directory.name.encode(), "big": BIG}, name=directory.name)
    prefix = directory / "runtime" / platform.machine()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(prefix)}))
    (packages / "tool.pth").write_text(f"{PROJECT}\n{sysconfig.get_path('purelib')}\n")
    (directory / "bin").mkdir()
    write_launcher(directory, f'exec "{prefix}/bin/python3" -I -B -m mirror "$@"')
    return directory


def write_launcher(directory: Path, line: str) -> None:
    (directory / "bin/mirror").write_text(f"#!/bin/sh\n{line}\n")
    (directory / "bin/mirror").chmod(0o755)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    for name in ("first", "second"):
        bundle(tmp_path / "root" / name)
    activate(tmp_path / "root", "first")
    return tmp_path / "root"


def activate(root: Path, name: str) -> None:
    with opened_root(root) as handle:
        handle.activate(name)


@contextmanager
def started(root: Path, *options: str) -> Iterator[Mirror]:
    launcher, ports = str(root / "current/bin/mirror"), ["--http", "127.0.0.1:0", "--ftp", "127.0.0.1:0"]
    with mirror(root, started_as=[launcher, "serve", "--root", str(root), *ports, *options]) as running:
        yield running


@pytest.fixture
def running(root: Path) -> Iterator[Mirror]:
    with started(root, "--workers", "2") as running:
        yield running


def tool(running: Mirror) -> str:
    """Return which bundle's mirror the process runs."""
    words = Path(f"/proc/{running.process.pid}/cmdline").read_bytes().decode().split("\0")
    return Path(words[0]).parents[3].name


def served(running: Mirror) -> bytes:
    with connected(running.port) as wire:
        answer = wire.get("/which", "Connection: close")
        assert answer.status == 200
        return answer.body


def is_served(running: Mirror, name: str) -> bool:
    """Tell whether every worker serves this bundle, as far as a few questions tell."""
    return {served(running) for _ in range(8)} == {name.encode()}


class Asking:
    """Clients that ask again and again, half of them on one connection as long as that is kept."""

    def __init__(self, running: Mirror) -> None:
        self._running = running
        self._ended = threading.Event()
        self.answers = 0
        self.failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._ask, args=(keeps,)) for keeps in (True, True, False, False)]

    def went_on_since(self, answers: int) -> bool:
        return self.answers > answers + 50 or bool(self.failures)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, keeps: bool) -> None:
        try:
            while not self._ended.is_set():
                with connected(self._running.port) as wire:
                    kept = True
                    while kept and not self._ended.is_set():
                        answer = wire.get("/which", *([] if keeps else ["Connection: close"]))
                        assert answer.status == 200
                        assert answer.body in (b"first", b"second")
                        self.answers += 1
                        kept = answer.fields.get("connection") != "close"
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            self.failures.append(error)


def test_the_active_bundles_mirror_takes_over_under_load_and_no_request_fails(root: Path, running: Mirror) -> None:
    assert tool(running) == "first"
    pid, port = running.process.pid, running.port
    with Asking(running) as asking, connected(port, receive_bytes=SMALL_WINDOW) as wire:
        wire.send(request("/big", "Connection: close"))
        for times, name in enumerate(("second", "first"), start=2):
            activate(root, name)
            running.said_times("kill -HUP", times)
            assert tool(running) == name
            begin = asking.answers
            eventually(partial(asking.went_on_since, begin), "more was asked for")
            # a worker of the one before may take a last connection
            eventually(partial(is_served, running, name), "the active bundle is served")
        # what began with the first one's workers ends with them
        assert wire.answer().body == BIG
    assert asking.failures == []
    assert (running.process.pid, running.process.poll()) == (pid, None)
    assert running.health()[0] == 200


def test_what_takes_long_goes_on_and_a_kept_connection_brings_one_more_request(root: Path) -> None:
    with (
        started(root, "--workers", "1", "--grace", "0") as running,
        connected(running.port, receive_bytes=SMALL_WINDOW) as kept,
        ftplib.FTP(timeout=TIMEOUT_S) as ftp,  # noqa: S321 - what is tested
    ):
        kept.begin("/big")
        ftp.connect("127.0.0.1", running.ftp_port)
        ftp.login()
        ftp.sendcmd("TYPE I")
        data = ftp.transfercmd("RETR big")
        activate(root, "second")
        running.said_times("kill -HUP", 2)
        assert tool(running) == "second"
        eventually(partial(is_served, running, "second"), "the active bundle is served")
        assert kept.answer().body == BIG
        last = kept.get("/which")
        assert (last.status, last.fields["connection"]) == (200, "close")
        with data, data.makefile("rb") as content:
            assert content.read() == BIG
        assert ftp.getmultiline().startswith("226")


@pytest.mark.parametrize("line", ["exit 3", "exec false", "exec /nowhere/python"])
def test_one_that_does_not_begin_changes_nothing_and_turns_health_red(root: Path, running: Mirror, line: str) -> None:
    write_launcher(root / "second", line)
    activate(root, "second")
    running.told("does not take over")
    assert tool(running) == "first"
    # one worker may be told of the new bundle a moment after the other
    eventually(partial(is_served, running, "second"), "the new bundle is served by the old mirror")
    status, health = running.health()
    assert (status, len(health["problems"])) == (503, 1)
    activate(root, "first")
    eventually(lambda: running.health()[0] == 200, "health is green again")
    assert tool(running) == "first"
    eventually(partial(is_served, running, "first"), "the old bundle is served again")


def test_one_that_others_could_have_written_is_not_run(root: Path, running: Mirror) -> None:
    (root / "second/bin/mirror").chmod(0o777)
    activate(root, "second")
    assert "others could have written" in running.told("does not take over")
    assert tool(running) == "first"


def test_a_bundle_without_a_tool_is_served_by_the_one_that_runs(root: Path, running: Mirror) -> None:
    (root / "second/bin/mirror").unlink()
    activate(root, "second")
    running.told("mirror: reloaded")
    assert (tool(running), served(running)) == ("first", b"second")
    assert running.health()[0] == 200
