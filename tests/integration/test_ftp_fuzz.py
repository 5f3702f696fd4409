"""Thousands of random sessions, from a seed: the worker goes on serving, and keeps nothing of them."""

from __future__ import annotations

import random
import select
import socket
import time
from typing import TYPE_CHECKING

import bcrypt
import pytest

from mirror.ftp.rules import RULES, UNSUPPORTED, WRITING
from mirror.settings import Settings, TlsFiles
from mirror.shared.counters import Field
from mirror.worker.control import Material
from tests.fakes.certificates import authority
from tests.integration.ftp_mirror import USUAL, ftp_worker, wait_until
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.ftp_mirror import FtpWorkerProcess

SESSIONS = 400
LONGEST_S = 60
WORDS = sorted({*RULES, *WRITING, *UNSUPPORTED})
ARGUMENTS = [
    *("", "a", "/", "..", "yum/x.rpm", "big.bin", "*", "[", "I", "A", "E", "S", "TLS", "0", "P", "anonymous", "ftp"),
    *("-la", "-la /", "99999999999999999999", "1", "-1", "ALL", "2", "|1|127.0.0.1|4000|", "127,0,0,1,200,200"),
    *("MLST size;", "UTF8 ON", "HELP", "CHMOD 777 a", "\udcff", "%n%s", "a\0b", "é", " ", "a" * 5000, "../" * 900),
]


def random_line(choose: random.Random) -> bytes:
    kind = choose.random()
    if kind < 0.05:
        return choose.randbytes(choose.randint(0, 300))
    if kind < 0.07:
        return b"\xff\xf4\xff\xf2" + choose.choice(WORDS).encode()
    word = choose.choice(WORDS)
    if kind < 0.15:
        word = word.lower() + choose.choice(["", "X", "\0", "\t"])
    argument = choose.choice(ARGUMENTS)
    end = choose.choice([b"\r\n"] * 8 + [b"\n", b"\r", b""])
    return f"{word} {argument}".encode("utf-8", "surrogateescape") + end


def random_session(mirror: FtpWorkerProcess, choose: random.Random) -> None:
    """Say random things, read some of what comes, sometimes follow up a passive port, leave in some way."""
    connection = socket.create_connection((mirror.host, mirror.port), timeout=10)
    others: list[socket.socket] = []
    try:
        if choose.random() < 0.8:
            connection.sendall(b"USER ftp\r\nPASS x\r\nTYPE I\r\n")
        for _ in range(choose.randint(1, 40)):
            connection.sendall(random_line(choose))
            if choose.random() < 0.3 and select.select([connection], [], [], 0.01)[0]:
                received = connection.recv(100_000)
                if not received:
                    break
                if b"(|||" in received:
                    port = int(received.rpartition(b"(|||")[2].partition(b"|")[0])
                    others.append(socket.create_connection((mirror.host, port), timeout=10))
        if choose.random() < 0.2:
            connection.shutdown(socket.SHUT_WR)
    except OSError:
        # sent away, or a port that was closed again
        pass
    finally:
        for one in (connection, *others):
            one.close()


@pytest.mark.parametrize("kind", ["plain", "with TLS and users"])
def test_random_sessions_leave_nothing_behind(tmp_path: Path, kind: str) -> None:
    root = write_bundle(tmp_path / "root", {"a": b"a", "big.bin": bytes(8 << 20), "yum/x.rpm": b"x"})
    settings, material = Settings(root, ftp_connections=10_000), Material()
    if kind != "plain":
        pem = authority(tmp_path).server_file("127.0.0.1").read_bytes()
        material = Material(b"ftp2:" + bcrypt.hashpw(b"x", bcrypt.gensalt(4)), pem, pem)
        nowhere = tmp_path / "nowhere"
        settings = Settings(root, tls=TlsFiles(nowhere, nowhere), users=nowhere, ftp_connections=10_000)
    with ftp_worker(root, settings=settings, material=material, limits=USUAL) as mirror:
        mirror.raw().close()
        wait_until(lambda: mirror.slot.get(Field.OPEN_CONNECTIONS) == 0)
        before = mirror.descriptors()
        until = time.monotonic() + LONGEST_S
        for seed in range(SESSIONS):
            random_session(mirror, random.Random(seed))
            if time.monotonic() > until:
                break
        wait_until(lambda: mirror.slot.get(Field.OPEN_CONNECTIONS) == 0, mirror.stderr())
        wait_until(lambda: mirror.descriptors() <= before)
        with mirror.stranger() as client:
            assert client.sendcmd("NOOP").startswith("200")
            if kind == "plain":
                client.login()
                assert client.nlst("yum") == ["x.rpm"]
        assert "Traceback" not in mirror.stderr()
