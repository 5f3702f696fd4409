"""The FTP worker's life: ready, stopped with transfers under way, left alone by its supervisor, its log reopened."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from mirror.settings import Settings
from mirror.shared.counters import Field, State
from mirror.worker.control import Message
from tests.fakes.certificates import authority
from tests.integration.ftp_mirror import end, ftp_worker, wait_until
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from pathlib import Path

# more than the sockets between a server and a client that does not read hold
BIG = random.Random(11).randbytes(1 << 20) * 32


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("ftp-life") / "root", {"big.bin": BIG, "small": b"small"})


@pytest.mark.parametrize("how", ["stop", "supervisor gone"])
def test_a_stop_lets_transfers_finish_and_sends_the_others_away(root: Path, how: str) -> None:
    with ftp_worker(root) as mirror:
        assert mirror.slot.get(Field.STATE) == State.READY
        idle, busy = mirror.client(), mirror.client()
        busy.sendcmd("TYPE I")
        with busy.transfercmd("RETR big.bin") as connection:
            assert connection.recv(1) == BIG[:1]
            if how == "stop":
                mirror.control.send(Message("stop"))
            else:
                mirror.control.close()
            assert idle.getmultiline().startswith("421")
            assert mirror.slot.get(Field.STATE) == State.STOPPING
            assert connection.makefile("rb").read() == BIG[1:]
        assert busy.getmultiline().startswith("226")
        assert busy.getmultiline().startswith("421")
        idle.close()
        busy.close()


def test_new_connections_wait_for_the_successor(root: Path) -> None:
    with ftp_worker(root) as mirror:
        busy = mirror.client()
        busy.sendcmd("TYPE I")
        with busy.transfercmd("RETR big.bin") as connection:
            mirror.control.send(Message("stop"))
            wait_until(lambda: mirror.slot.get(Field.STATE) == State.STOPPING)
            # the socket is the supervisor's: it still takes connections, and nobody here answers them
            waiting = socket.create_connection((mirror.host, mirror.port), timeout=0.2)
            with pytest.raises(TimeoutError):
                waiting.recv(1)
            waiting.close()
            assert connection.makefile("rb").read() == BIG
        busy.close()


def test_what_takes_longer_than_the_grace_is_cut(root: Path) -> None:
    with ftp_worker(root, settings=Settings(root, grace_s=0.2)) as mirror:
        client = mirror.client()
        client.sendcmd("TYPE I")
        with client.transfercmd("RETR big.bin") as connection:
            begin = time.monotonic()
            end(mirror)
            assert time.monotonic() - begin >= 0.2
            with pytest.raises(ConnectionResetError):
                connection.makefile("rb").read()
        assert '"complete": false' in mirror.log.read_text()
        assert mirror.slot.get(Field.CUT_TRANSFERS) == 1


def test_the_log_goes_on_in_another_file(root: Path, tmp_path: Path) -> None:
    with ftp_worker(root) as mirror, mirror.client() as client:
        client.retrbinary("RETR small", lambda _: None)
        after = tmp_path / "after.log"
        descriptor = os.open(after, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        mirror.control.send(Message("reopen-log", descriptor=descriptor))
        os.close(descriptor)
        wait_until(lambda: "RETR" in mirror.log.read_text())
        # the worker obeys its supervisor before the client's next command, or the line would be in the old file
        mirror.reload(root, 2)
        mirror.expect("reloaded")
        client.retrbinary("RETR small", lambda _: None)
        wait_until(lambda: after.read_text().count("RETR") == 1)
        assert mirror.log.read_text().count("RETR") == 1


def test_many_reloads_end_with_the_last_one(root: Path) -> None:
    with ftp_worker(root) as mirror:
        for generation in range(2, 30):
            mirror.reload(root, generation)
        wait_until(lambda: mirror.slot.get(Field.GENERATION) == 29)
        with mirror.client() as client:
            assert client.nlst("small") == ["small"]


# a process of its own, because a test's memory would be its child's as well
REST = """
import sys
from pathlib import Path
from mirror.settings import Settings, TlsFiles
from mirror.worker.control import KeyFiles
from tests.integration.ftp_mirror import ftp_worker

root, pem = Path(sys.argv[1]), Path(sys.argv[2])
settings, key_files = Settings(root), KeyFiles()
if pem.name:
    data = pem.read_bytes()
    settings, key_files = Settings(root, tls=TlsFiles(pem, pem)), KeyFiles(certificate=data, key=data)
with ftp_worker(root, settings=settings, key_files=key_files) as mirror:
    with mirror.client() as client:
        client.retrbinary("RETR small", lambda _: None)
    print(Path(f"/proc/{mirror.pid}/statm").read_text().split()[1])
"""


@pytest.mark.parametrize("tls", [False, True])
def test_a_worker_at_rest_is_small(root: Path, tmp_path: Path, tls: bool) -> None:
    pem = str(authority(tmp_path).server_file("127.0.0.1")) if tls else ""
    done = subprocess.run([sys.executable, "-c", REST, str(root), pem], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) * os.sysconf("SC_PAGE_SIZE") <= 60 << 20


def test_counters_tell_what_was_done(root: Path) -> None:
    with ftp_worker(root) as mirror:
        with mirror.client() as client:
            client.retrbinary("RETR small", lambda _: None)
        wait_until(lambda: mirror.slot.get(Field.OPEN_CONNECTIONS) == 0)
        assert mirror.slot.get(Field.CONNECTIONS) == 1
        assert mirror.slot.get(Field.SENT_BYTES) == len(b"small")
        answers = mirror.slot.answers()
        assert (answers[226], answers[230], answers[550]) == (1, 1, 0)
