"""Who may come in: users, addresses, how many, for how long, and how fast."""

from __future__ import annotations

import ftplib
import ipaddress
import random
import select
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import bcrypt
import pytest

from mirror.settings import Settings
from mirror.shared.counters import Field
from mirror.worker.control import KeyFiles
from tests.integration.ftp_mirror import SHORT, USUAL, WITHIN_S, ftp_worker, wait_until
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.ftp_mirror import FtpWorkerProcess

BIG = random.Random(9).randbytes(6_000_000)
# more than the sockets between a server and a client that does not read hold
ENDLESS_BYTES = 64 << 20


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    contents = {"big.bin": BIG, "endless.bin": bytes(ENDLESS_BYTES), "small": b"small"}
    return write_bundle(tmp_path_factory.mktemp("ftp-admission") / "root", contents)


def users(**passwords: str) -> KeyFiles:
    lines = [f"{name}:".encode() + bcrypt.hashpw(word.encode(), bcrypt.gensalt(4)) for name, word in passwords.items()]
    return KeyFiles(users=b"\n".join(lines))


def fetched(client: ftplib.FTP, path: str) -> bytes:
    got: list[bytes] = []
    client.retrbinary(f"RETR {path}", got.append)
    return b"".join(got)


def drain(connection: socket.socket) -> None:
    while connection.recv(1 << 20):
        pass


def greeting(mirror: FtpWorkerProcess, source: str = "127.0.0.1") -> str:
    with socket.create_connection((mirror.host, mirror.port), WITHIN_S, source_address=(source, 0)) as connection:
        return connection.recv(100).decode()


def test_users_log_in_with_their_password_and_nobody_else(root: Path) -> None:
    with ftp_worker(root, settings=Settings(root, users=root / "users"), key_files=users(edge="s3cret")) as mirror:
        for _ in range(2):
            with mirror.stranger() as client:
                client.login("edge", "s3cret")
                assert fetched(client, "small") == b"small"
        for name, word in (("edge", "wrong"), ("nobody", "s3cret"), ("edge", ""), ("edge", "s3cret "), ("é", "s3cret")):
            with mirror.stranger() as client:
                assert client.sendcmd(f"USER {name}").startswith("331")
                with pytest.raises(ftplib.error_perm, match="530"):
                    client.sendcmd(f"PASS {word}")
        with mirror.stranger() as client, pytest.raises(ftplib.error_perm, match="530 Anonymous"):
            client.login()
        assert mirror.slot.answers()[530] >= 6
    refused = [line for line in mirror.log.read_text().splitlines() if '"method": "PASS"' in line]
    assert len(refused) == 5
    assert all('"status": 530' in line and '"user": ""' in line for line in refused)
    logged_in = [line for line in mirror.log.read_text().splitlines() if '"user": "edge"' in line]
    assert len(logged_in) == 2
    assert "s3cret" not in mirror.log.read_text() + mirror.stderr()


def test_guessing_is_slow_and_soon_over(root: Path) -> None:
    limits = replace(USUAL, failure_delay_s=0.2)
    settings = Settings(root, users=root / "users")
    with (
        ftp_worker(root, settings=settings, key_files=users(edge="s3cret"), limits=limits) as mirror,
        mirror.raw() as raw,
    ):
        begin = time.monotonic()
        # all guesses at once: they are taken one by one all the same
        raw.sendall(b"USER edge\r\nPASS wrong\r\n" * 50 + b"USER edge\r\nPASS s3cret\r\n")
        try:
            received = raw.makefile("rb").read()
        except ConnectionResetError:
            received = b""
        assert b"230" not in received
        assert time.monotonic() - begin >= 3 * limits.failure_delay_s
        wait_until(lambda: mirror.slot.answers()[530] == limits.attempts)


def test_a_password_being_checked_holds_nobody_up(root: Path) -> None:
    slow = KeyFiles(users=b"edge:" + bcrypt.hashpw(b"s3cret", bcrypt.gensalt(13)))
    settings = Settings(root, users=root / "users")
    with (
        ftp_worker(root, settings=settings, key_files=slow, limits=replace(USUAL, failure_delay_s=0)) as mirror,
        mirror.stranger() as waiting,
        mirror.stranger() as other,
    ):
        waiting.sendcmd("USER edge")
        waiting.putcmd("PASS wrong")
        assert other.sendcmd("NOOP").startswith("200")
        # the other's answer came before this one
        assert waiting.sock is not None
        assert select.select([waiting.sock], [], [], 0)[0] == []
        assert waiting.getmultiline().startswith("530")


def test_a_reload_takes_new_users(root: Path) -> None:
    settings = Settings(root, users=root / "users")
    with ftp_worker(root, settings=settings, key_files=users(edge="one")) as mirror:
        mirror.reload(root, 2, users(edge="two"))
        mirror.expect("reloaded")
        with mirror.stranger() as client:
            client.login("edge", "two")
        with mirror.stranger() as client, pytest.raises(ftplib.error_perm):
            client.login("edge", "one")
        mirror.reload(root, 3, KeyFiles(users=b"edge:plain"))
        assert "serve-users-invalid" in mirror.expect("failed").text
        with mirror.stranger() as client:
            client.login("edge", "two")


def test_addresses_that_are_not_allowed_are_sent_away(root: Path) -> None:
    allow = (ipaddress.ip_network("198.51.100.0/24"),)
    with ftp_worker(root, host="::", settings=Settings(root, allow=allow)) as mirror:
        # loopback may always, mapped into IPv6 too; an address of a test host's own may not
        assert greeting(mirror).startswith("220")
        # a host without a network has nothing but loopback, and the rest of this test nobody to send away
        if own := own_address():
            mirror.host = own
            assert greeting(mirror, own).startswith("421")
            wait_until(lambda: mirror.slot.get(Field.REFUSED_CONNECTIONS) == 1)


def own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            # nothing is sent by this
            trial.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(trial.getsockname()[0])


def test_an_address_may_hold_so_many_connections(root: Path) -> None:
    with ftp_worker(root, settings=Settings(root, ftp_connections=2)) as mirror:
        first, second = mirror.raw(), mirror.raw()
        assert greeting(mirror).startswith("421 Too many connections from your address")
        assert greeting(mirror, "127.0.0.2").startswith("220")
        first.close()
        wait_until(lambda: greeting(mirror).startswith("220"))
        second.close()
        assert mirror.slot.get(Field.REFUSED_CONNECTIONS) >= 1
        wait_until(lambda: mirror.slot.get(Field.OPEN_CONNECTIONS) == 0)


def test_a_worker_holds_so_many_sessions(root: Path) -> None:
    with ftp_worker(root, limits=replace(USUAL, sessions=1)) as mirror, mirror.raw():
        assert greeting(mirror, "127.0.0.2").startswith("421 Too many clients")


def test_who_says_nothing_is_sent_away(root: Path) -> None:
    with ftp_worker(root, limits=SHORT) as mirror, mirror.raw() as connection:
        assert connection.recv(100).startswith(b"421 ")
        assert connection.recv(100) == b""


def test_a_handshake_that_never_comes_is_not_waited_for(root: Path) -> None:
    with ftp_worker(root, limits=replace(SHORT, idle_s=60)) as mirror, mirror.raw() as connection:
        connection.sendall(b"USER ")
        assert connection.recv(100).startswith(b"421 ")


def test_a_transfer_without_progress_is_cut(root: Path) -> None:
    with ftp_worker(root, limits=replace(SHORT, idle_s=60)) as mirror, mirror.client() as client:
        with client.transfercmd("RETR endless.bin") as data:
            assert client.getmultiline().startswith("426")
            with pytest.raises(ConnectionResetError):
                drain(data)
        assert client.sendcmd("NOOP").startswith("200")
        assert mirror.slot.get(Field.CUT_TRANSFERS) == 1
        wait_until(lambda: '"complete": false' in mirror.log.read_text())


def test_a_slow_transfer_is_not_cut(root: Path) -> None:
    limits = replace(SHORT, idle_s=60, stall_s=0.4)
    with (
        ftp_worker(root, limits=limits, settings=Settings(root, rate_limit=3_000_000)) as mirror,
        mirror.client() as client,
    ):
        begin = time.monotonic()
        assert fetched(client, "big.bin") == BIG
        # 6 MB at 3 MB/s, less what may go at once
        assert time.monotonic() - begin > 1.5


def test_the_cap_is_for_all_transfers_together(root: Path) -> None:
    with ftp_worker(root, settings=Settings(root, rate_limit=8_000_000)) as mirror:
        clients = [mirror.client() for _ in range(4)]
        begin = time.monotonic()
        connections = [client.transfercmd("RETR big.bin") for client in clients]
        for connection in connections:
            assert connection.makefile("rb").read() == BIG
        assert time.monotonic() - begin > 24_000_000 / 8_000_000 * 0.8
        for client, connection in zip(clients, connections, strict=True):
            connection.close()
            assert client.getmultiline().startswith("226")
            client.quit()
