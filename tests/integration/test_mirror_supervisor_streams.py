"""What the supervisor writes, and to whom: access logs, rotation; streams that are closed, full, or read by nobody."""

from __future__ import annotations

import json
import os
import random
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from tests.integration.mirror_program import command, eventually, free_port, is_open, is_refused, mirror
from tests.integration.raw_http import connected, request
from tests.unit.mirror.bundle_tree import write_bundle

BIG = random.Random(11).randbytes(20_000_000)
SMALL = b"small\n"
SMALL_WINDOW = 16384
COMBINED = re.compile(
    r'(?P<remote>\S+) - (?P<user>\S+) \[[^]]+\] "(?P<method>\S+) (?P<path>\S+) (?P<protocol>\w+)" (?P<status>\d+) '
    r'(?P<bytes>\d+) "[^"]*" "[^"]*" bundle=(?P<bundle>\S+) range=(?P<range>\S+) (?P<outcome>complete|cut)\n'
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "root", {"big": BIG, "small": SMALL})


def test_the_access_log_and_its_rotation(root: Path, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    with mirror(root, "--workers", "2", "--access-log", str(log)) as running:
        with connected(running.port) as wire:
            wire.get("/small", 'User-Agent: a"b\\\xe4\x9b')
            wire.get("/small", "Range: bytes=1-2")
            wire.get("/absent%20x")
            wire.send(request("/s\x01mall") + b"nonsense\r\n\r\n")
            wire.rest()
        with connected(running.port, receive_bytes=SMALL_WINDOW) as wire:
            wire.begin("/big")
        eventually(lambda: log.read_text().count("\n") == 5, "five lines are written")
        lines = log.read_text().splitlines(keepends=True)
        assert all(line[:-1].isprintable() for line in lines)
        found = [matched.groupdict() for line in lines if (matched := COMBINED.fullmatch(line))]
        assert len(found) == 5
        # each worker writes its own lines when it comes to it
        (cut,) = (line for line in found if line["path"] == "/big")
        whole, part, absent, _ = (line for line in found if line is not cut)
        assert (whole["status"], whole["bytes"], whole["outcome"], whole["range"]) == ("200", "6", "complete", "-")
        assert (part["status"], part["bytes"], part["range"]) == ("206", "2", "bytes=1-2")
        assert (absent["status"], absent["path"], absent["bundle"]) == ("404", "/absent%20x", "-")
        assert (cut["status"], cut["outcome"]) == ("200", "cut")
        assert int(cut["bytes"]) < len(BIG)
        assert re.fullmatch("[0-9a-f]{12}", whole["bundle"])

        log.rename(tmp_path / "access.log.1")
        running.signal(signal.SIGUSR1)
        eventually(log.exists, "the log is opened anew")

        def is_written_anew() -> bool:
            with connected(running.port) as wire:
                wire.get("/small")
            return log.read_text() != ""

        eventually(is_written_anew, "lines go to the new log")
        # as long as anybody has it open, a log that was deleted takes up its room on the disk
        assert not [pid for pid in (running.process.pid, *running.workers()) if is_open(pid, tmp_path / "access.log.1")]


def test_the_log_as_json_on_stdout(root: Path) -> None:
    with mirror(root, "--access-log", "-", "--log-format", "json") as running:
        with connected(running.port) as wire:
            wire.get("/small", "Referer: ü", "Range: bytes=0-1")
        told = json.loads(running.said('"path"'))
        assert {
            name: told[name] for name in ("protocol", "method", "path", "range", "status", "bytes", "complete")
        } == {
            "protocol": "http",
            "method": "GET",
            "path": "/small",
            "range": "bytes=0-1",
            "status": 206,
            "bytes": 2,
            "complete": True,
        }


@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_closed_streams_stop_nothing(root: Path, tmp_path: Path, closed: tuple[int, ...]) -> None:
    port = free_port()
    errors = tmp_path / "stderr"
    redirections = " ".join(f"{number}>&-" for number in closed)
    quoted = shlex.join(command(root, "--workers", "2", "--http", f"127.0.0.1:{port}", "--access-log", "-"))
    with errors.open("w") as stream:
        process = subprocess.Popen(["/bin/sh", "-c", f"exec {quoted} {redirections}"], stderr=stream)
    try:
        eventually(lambda: process.poll() is not None or not is_refused(port), "it listens")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        eventually(lambda: process.poll() is not None or len(children.read_text().split()) == 2, "both workers live")
        with connected(port) as wire:
            assert wire.get("/small").body == SMALL
        os.kill(int(children.read_text().split()[0]), signal.SIGKILL)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGUSR1)
        with connected(port) as wire:
            assert wire.get("/small").body == SMALL
    finally:
        process.terminate()
        assert process.wait(60) == 0
    assert "Traceback" not in errors.read_text()


def test_a_reader_of_stderr_that_leaves_stops_nothing(root: Path) -> None:
    read_end, write_end = os.pipe()
    process = subprocess.Popen(command(root, "--workers", "2"), stdout=subprocess.PIPE, stderr=write_end, text=True)
    os.close(write_end)
    assert process.stdout is not None
    said = ""
    while "kill -HUP" not in said:
        said += process.stdout.readline()
    os.close(read_end)
    process.stdout.close()
    matched = re.search(r"HTTP  http://127[.]0[.]0[.]1:([0-9]+)/", said)
    assert matched is not None
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    before = children.read_text()
    process.send_signal(signal.SIGHUP)
    os.kill(int(before.split()[0]), signal.SIGKILL)
    eventually(lambda: len({*children.read_text().split()} - {*before.split()}) == 1, "it is replaced")
    with connected(int(matched[1])) as wire:
        assert wire.get("/small").body == SMALL
    process.terminate()
    assert process.wait(60) == 0


def test_a_log_that_cannot_be_written_stops_nothing(root: Path) -> None:
    with mirror(root, "--access-log", "/dev/full") as running:
        for _ in range(3):
            with connected(running.port) as wire:
                assert wire.get("/small").body == SMALL
        running.signal(signal.SIGUSR1)
        running.reload()
        assert running.health()[0] == 200


def test_many_reloads_at_once_drop_nothing(root: Path) -> None:
    with mirror(root, "--workers", "2") as running, connected(running.port, receive_bytes=SMALL_WINDOW) as slow:
        slow.begin("/big")
        with connected(running.port) as kept:
            for _ in range(40):
                running.signal(signal.SIGHUP)
                assert kept.get("/small").body == SMALL
            running.told("reloaded")
            assert kept.get("/small").body == SMALL
        assert slow.answer().body == BIG
        eventually(lambda: running.health()[0] == 200, "it is healthy")
        assert running.told_times("failed") == 0
