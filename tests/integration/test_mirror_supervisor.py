"""The supervisor and its workers: signals, grace, deaths, logs, and what it says when it cannot begin."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.integration.mirror_program import (
    PATIENCE_S,
    Mirror,
    command,
    eventually,
    is_open,
    is_refused,
    mirror,
    refused,
)
from tests.integration.raw_http import ClosedError, connected
from tests.unit.mirror.bundle_tree import write_bundle

BIG = random.Random(8).randbytes(20_000_000)
SMALL = b"small\n"
CONTENTS = {"big": BIG, "small": SMALL}
SMALL_WINDOW = 16384
REQUESTS = 'mirror_requests_total{protocol="http",status="200"}'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "root", CONTENTS)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


# the end


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_transfer_ends_within_the_grace_period_and_nobody_else_gets_in(root: Path, ending: signal.Signals) -> None:
    with mirror(root, "--workers", "2") as running:
        with connected(running.port, receive_bytes=SMALL_WINDOW) as slow, connected(running.port) as idle:
            assert idle.get("/small").body == SMALL
            slow.begin("/big")
            running.signal(ending)
            assert idle.rest() == b""
            eventually(lambda: is_refused(running.port), "new connections are refused")
            assert running.process.poll() is None
            answer = slow.answer()
            assert answer.body == BIG
            assert slow.rest() == b""
        assert running.wait() == 0


def test_a_transfer_beyond_the_grace_period_is_cut(root: Path) -> None:
    with mirror(root, "--grace", "0.2") as running, connected(running.port, receive_bytes=SMALL_WINDOW) as slow:
        slow.begin("/big")
        running.signal(signal.SIGTERM)
        assert running.wait() == 0
        assert len(slow.rest()) < len(BIG)


def test_asked_twice_it_ends_at_once(root: Path) -> None:
    with mirror(root, "--grace", "1000") as running, connected(running.port, receive_bytes=SMALL_WINDOW) as slow:
        slow.begin("/big")
        workers = running.workers()
        running.signal(signal.SIGTERM)
        eventually(lambda: is_refused(running.port), "new connections are refused")
        running.signal(signal.SIGTERM)
        running.wait()
        assert len(slow.rest()) < len(BIG)
        eventually(lambda: all(is_gone(pid) for pid in workers), "the workers are gone")


def test_without_a_supervisor_the_workers_end_by_themselves(root: Path) -> None:
    with mirror(root, "--workers", "3") as running:
        workers = running.workers()
        assert len(workers) == 3
        with connected(running.port) as wire:
            assert wire.get("/small").status == 200
            running.process.kill()
            assert wire.rest() == b""
        eventually(lambda: all(is_gone(pid) for pid in workers), "the workers are gone")
        assert is_refused(running.port)


# deaths


def test_killed_workers_lose_no_new_connection_and_no_count(root: Path) -> None:
    """Only what was in flight on the killed worker may fail: every failure began before a kill and ended after it."""
    kills = 4
    done = threading.Event()
    failures: list[tuple[str, float, float]] = []
    deaths: list[tuple[float, float]] = []
    served = [0] * 6

    def one_client(port: int, number: int) -> None:
        while not done.is_set():
            began = time.monotonic()
            try:
                with connected(port) as wire:
                    served[number] += wire.get("/small", "Connection: close").body == SMALL
            except (ClosedError, OSError) as error:
                failures.append((str(error), began, time.monotonic()))

    def every_client_is_served() -> None:
        before = list(served)
        eventually(lambda: all(now > then for now, then in zip(served, before, strict=True)), "every client is served")

    with mirror(root, "--workers", "2") as running:
        before = running.metric(REQUESTS)
        counts = [before]
        with ThreadPoolExecutor(len(served)) as pool:
            try:
                clients = [pool.submit(one_client, running.port, number) for number in range(len(served))]
                for number in range(kills):
                    eventually(lambda: running.health()[1]["ready"], "all workers serve")
                    every_client_is_served()
                    victim = running.workers()[number % 2]
                    killed = time.monotonic()
                    os.kill(victim, signal.SIGKILL)
                    running.told("is replaced", number + 1)
                    deaths.append((killed, time.monotonic()))
                    every_client_is_served()
                    counts.append(running.metric(REQUESTS))
                eventually(lambda: running.health()[0] == 200, "all workers serve again")
            finally:
                done.set()
        for client in clients:
            client.result()
        counts.append(running.metric(REQUESTS))
        assert counts == sorted(counts)
        for failure, began, ended in failures:
            assert "Connection refused" not in failure
            assert any(began <= gone and ended >= killed for killed, gone in deaths), failure
        # a client has one connection at a time, so that a death costs it one request and nothing else
        assert len(failures) <= kills * len(served)
        # what a client has seen whole was counted, but for answers on the killed workers
        assert counts[-1] - before >= sum(served) - kills * len(served)
        assert running.metric('mirror_worker_restarts_total{protocol="http"}') == kills
        assert running.metric('mirror_workers_ready{protocol="http"}') == 2


def test_an_ftp_worker_that_stands_still_keeps_no_new_client_waiting(root: Path) -> None:
    """The kernel would give about half of the connections to its socket, and they would wait there."""
    with mirror(root, "--workers", "2", "--ftp", "127.0.0.1:0") as running:
        first, *_ = (pid for pid in running.workers() if Path(f"/proc/{pid}/comm").read_text() == "mirror-ftp\n")
        os.kill(first, signal.SIGSTOP)
        try:
            with ExitStack() as clients:
                for _ in range(20):
                    connection = socket.create_connection(("127.0.0.1", running.ftp_port), timeout=PATIENCE_S)
                    assert clients.enter_context(connection).recv(100) == b"220 Ready.\r\n"
        finally:
            os.kill(first, signal.SIGCONT)


def test_a_killed_worker_leaves_no_open_connections_behind(root: Path) -> None:
    gauge = 'mirror_connections_open{protocol="http"}'
    with mirror(root) as running:
        with connected(running.port) as one, connected(running.port) as other:
            for wire in (one, other):
                assert wire.get("/small").status == 200
            eventually(lambda: running.metric(gauge) == 3, "three connections are open")
            os.kill(running.workers()[0], signal.SIGKILL)
            assert one.rest() == b""
        eventually(lambda: running.metric(gauge) == 1, "only the one that asks is open")


def test_a_worker_that_dies_during_a_reload_does_not_keep_it_from_ending(root: Path) -> None:
    with mirror(root, "--workers", "2", "--verify") as running:
        first, second = running.workers()
        os.kill(first, signal.SIGSTOP)
        running.signal(signal.SIGHUP)
        os.kill(first, signal.SIGKILL)
        running.told("reloaded")
        assert second in running.workers()
        eventually(lambda: running.health()[0] == 200, "all workers serve")


def test_a_failed_reload_is_not_called_a_reload(root: Path) -> None:
    with mirror(root, "--workers", "2") as running:
        index = (root / "bundle.json").read_bytes()
        (root / "bundle.json").write_bytes(b"{}")
        running.signal(signal.SIGHUP)
        running.told("nothing is reloaded")
        (root / "bundle.json").write_bytes(index)
        running.reload()
        assert running.told_times("mirror: reloaded") == 1


def test_signals_for_the_supervisor_do_not_end_workers(root: Path) -> None:
    with mirror(root, "--workers", "2") as running:
        before = running.workers()
        for pid in before:
            # what a terminal or an init would send to the whole group
            for number in (
                signal.SIGINT,
                signal.SIGTERM,
                signal.SIGHUP,
                signal.SIGUSR1,
                signal.SIGUSR2,
                signal.SIGPIPE,
            ):
                os.kill(pid, number)
        with connected(running.port) as wire:
            assert wire.get("/small").status == 200
        assert running.workers() == before
        assert running.health()[0] == 200


def test_it_can_be_stopped_while_it_verifies(tmp_path: Path) -> None:
    root = write_bundle(tmp_path / "root", {"large": b""})
    large = root / "large"
    index = json.loads((root / "bundle.json").read_text())
    size = 1 << 40
    index["files"][0]["size"] = size
    (root / "bundle.json").write_text(json.dumps(index))
    with large.open("r+b") as stream:
        stream.truncate(size)
    process = subprocess.Popen(
        command(root, "--verify", "--grace", "600"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    started = Mirror(process)
    try:
        eventually(started.workers, "there is a worker")
        (worker,) = started.workers()
        eventually(lambda: reads(worker, large), "it hashes")
        process.terminate()
        assert process.wait(20) == 0
    finally:
        for worker in started.workers() if process.poll() is None else []:
            os.kill(worker, signal.SIGKILL)
        process.kill()
        process.communicate()


def reads(pid: int, file: Path) -> bool:
    with suppress(FileNotFoundError):
        return is_open(pid, file)
    return False


# the beginning


def test_systemd_is_told(root: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        with mirror(root, "--workers", "2", env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}) as running:
            assert manager.recv(4096).startswith(b"READY=1\nSTATUS=demo 2025.03")
            running.reload()
            assert manager.recv(4096).startswith(b"RELOADING=1")
            assert manager.recv(4096).startswith(b"READY=1\nSTATUS=demo 2025.03")
        assert manager.recv(4096) == b"STOPPING=1"


def test_a_port_that_is_taken(root: Path) -> None:
    with mirror(root) as running:
        done = refused(root, "--http", f"127.0.0.1:{running.port}")
        assert done.returncode == 8
        assert "[serve-port-taken]" in done.stderr
        assert f"mirror (pid {running.process.pid})" in done.stderr
        assert "--http" in done.stderr
        assert "Traceback" not in done.stderr
        with connected(running.port) as wire:
            assert wire.get("/small").body == SMALL


@pytest.mark.parametrize(
    "fault", ["no bundle", "no directory", "not for nobody", "damaged index", "users", "certificate", "log"]
)
def test_a_mirror_that_cannot_begin_says_why_and_leaves_nothing_behind(root: Path, tmp_path: Path, fault: str) -> None:
    options: tuple[str, ...] = ("--workers", "3")
    match fault:
        case "no bundle":
            (root / "bundle.json").unlink()
        case "no directory":
            options += ("--root", str(tmp_path / "absent"))
        case "not for nobody":
            root.chmod(0o700 if os.geteuid() == 0 else 0)
        case "damaged index":
            (root / "bundle.json").write_text("{")
        case "users":
            (tmp_path / "users").write_text("anna:plain\n")
            options += ("--users", str(tmp_path / "users"))
        case "log":
            # opening it would wait for somebody who reads it
            os.mkfifo(tmp_path / "log")
            options += ("--access-log", str(tmp_path / "log"))
        case _:
            (tmp_path / "pem").write_text("no certificate")
            (tmp_path / "pem").chmod(0o600)
            options += ("--tls-cert", str(tmp_path / "pem"))
    done = refused(root, *options)
    root.chmod(0o755)
    assert done.returncode == (11 if fault == "log" else 8)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert re.search(r"\[(serve|storage)-[a-z-]+\]", done.stderr)
    assert done.stderr.count("error:") == 1


def test_a_signal_by_name_reaches_the_supervisor_alone(tmp_path: Path) -> None:
    with mirror(write_bundle(tmp_path / "root"), "--workers", "2") as running:
        names = [Path(f"/proc/{pid}/comm").read_text().strip() for pid in (running.process.pid, *running.workers())]
        assert names == ["mirror", "mirror-http", "mirror-http"]


def test_clients_are_told_the_port_that_was_found(root: Path) -> None:
    with mirror(root, "--ftp", "127.0.0.1:0") as running:
        matched = re.search(r"^FTP   ftp://127.0.0.1:([0-9]+)/", running.announcement, re.MULTILINE)
        assert matched is not None
        with connected(running.port) as wire:
            told = wire.get("/-/client/file-ftp.sh").body.decode()
        assert f":{matched[1]}/" in told


def test_few_descriptors_are_enough_for_a_few_clients(root: Path) -> None:
    limited = ("sh", "-c", 'ulimit -n 64; exec "$0" "$@"', *command(root))
    with mirror(root, started_as=limited) as running, connected(running.port) as wire:
        assert wire.get("/big").body == BIG
        assert wire.get("/small").body == SMALL
