"""Data connections of the FTP worker: which addresses and ports, and that nobody else gets in or is reached."""

from __future__ import annotations

import re
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mirror.settings import Settings
from tests.integration.ftp_mirror import SHORT, ftp_worker, listening, wait_until
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    import ftplib
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.ftp_mirror import FtpWorkerProcess

BODY = b"content " * 1000


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("ftp-data") / "root", {"file": BODY})


@pytest.fixture(scope="module")
def mirror(root: Path) -> Iterator[FtpWorkerProcess]:
    with ftp_worker(root, host="::") as worker:
        yield worker


def answer(client: ftplib.FTP, command: str) -> str:
    """Return a reply, whatever it is."""
    client.putcmd(command)
    return client.getmultiline()


def passive_port(reply: str) -> int:
    if reply.startswith("229"):
        return int(reply.split("|")[3])
    numbers = re.findall(r"\d+", reply[4:])
    return int(numbers[4]) * 256 + int(numbers[5])


def fetch(client: ftplib.FTP) -> bytes:
    got: list[bytes] = []
    client.retrbinary("RETR file", got.append)
    return b"".join(got)


def is_refused(host: str, port: int) -> bool:
    """Tell whether nobody listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as trial:
        return trial.connect_ex((host, port)) != 0


def test_ipv4_clients_of_a_dual_socket_are_told_ipv4(mirror: FtpWorkerProcess) -> None:
    with mirror.client() as client:
        assert client.af == socket.AF_INET
        reply = answer(client, "PASV")
        assert reply.startswith("227 Entering Passive Mode (127,0,0,1,")
        assert 21100 <= passive_port(reply) <= 21299
        assert answer(client, "EPSV 1").startswith("229")
        assert answer(client, "EPSV 2").startswith("522")
        assert fetch(client) == BODY
        client.set_pasv(False)
        assert fetch(client) == BODY


def test_ipv6_clients_use_the_extended_commands(mirror: FtpWorkerProcess) -> None:
    mirror.host = "::1"
    try:
        with mirror.client() as client:
            assert client.af == socket.AF_INET6
            assert answer(client, "PASV").startswith("425")
            assert answer(client, "EPSV 2").startswith("229")
            assert answer(client, "EPSV 1").startswith("522")
            assert fetch(client) == BODY
            client.set_pasv(False)
            assert fetch(client) == BODY
            assert answer(client, "EPRT |2|0:0:0:0:0:0:0:1|40000|").startswith("200")
            assert answer(client, "EPRT |2|2001:db8::1|40000|").startswith("501")
    finally:
        mirror.host = "127.0.0.1"


def test_epsv_all_is_kept(mirror: FtpWorkerProcess) -> None:
    with mirror.client() as client:
        assert answer(client, "EPSV ALL").startswith("200")
        for command in ("PASV", "PORT 127,0,0,1,200,0", "EPRT |1|127.0.0.1|51200|"):
            assert answer(client, command).startswith("501")
        assert answer(client, "EPSV").startswith("229")


@pytest.mark.parametrize(
    "command",
    [
        "PORT 198,51,100,7,200,0",
        "PORT 127,0,0,2,200,0",
        "PORT 127,0,0,1,0,22",
        "PORT 127,0,0,1,3,255",
        "PORT 127,0,0,1,0,0",
        "PORT 127,0,0,1,256,0",
        "PORT 127,0,0,1,200",
        "PORT 127,0,0,1,x,0",
        "PORT -127,0,0,1,200,0",
        "EPRT |1|198.51.100.7|51200|",
        "EPRT |1|127.0.0.1|25|",
        "EPRT |1|localhost|51200|",
        "EPRT |1|127.1|51200|",
        "EPRT |2|::1|51200|",
        "EPRT |1|127.0.0.1|99999|",
        "EPRT |3|127.0.0.1|51200|",
        "EPRT |",
        "EPRT x",
    ],
)
def test_no_other_host_and_no_low_port_is_ever_connected_to(mirror: FtpWorkerProcess, command: str) -> None:
    with mirror.client() as client:
        assert answer(client, command)[:3] in ("501", "522")
        assert answer(client, "LIST").startswith("425")


def test_a_port_where_nobody_listens_is_told(mirror: FtpWorkerProcess) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with mirror.client() as client:
        assert answer(client, f"PORT 127,0,0,1,{port // 256},{port % 256}").startswith("200")
        assert answer(client, "LIST").startswith("150")
        assert client.getmultiline().startswith("425")
        assert answer(client, "NOOP").startswith("200")


def test_a_stranger_cannot_take_the_data_connection(mirror: FtpWorkerProcess) -> None:
    with mirror.client() as client:
        port = passive_port(answer(client, "EPSV"))
        stranger = socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.2", 0), timeout=10)
        own = socket.create_connection(("127.0.0.1", port), timeout=10)
        with stranger, own:
            client.putcmd("RETR file")
            assert own.makefile("rb").read() == BODY
            with pytest.raises(ConnectionResetError):
                stranger.recv(1)
        assert [client.getmultiline()[:3] for _ in range(2)] == ["150", "226"]


def test_a_data_connection_may_come_late(mirror: FtpWorkerProcess) -> None:
    with mirror.client() as client:
        port = passive_port(answer(client, "EPSV"))
        assert answer(client, "RETR file").startswith("150")
        with socket.create_connection(("127.0.0.1", port), timeout=10) as data:
            assert data.makefile("rb").read() == BODY
        assert client.getmultiline().startswith("226")


def test_a_refused_transfer_closes_what_was_opened_for_it(mirror: FtpWorkerProcess) -> None:
    with mirror.client() as client:
        port = passive_port(answer(client, "EPSV"))
        with socket.create_connection(("127.0.0.1", port), timeout=10) as data:
            assert answer(client, "RETR nothing").startswith("550")
            with pytest.raises(ConnectionResetError):
                data.recv(1)
        assert is_refused("127.0.0.1", port)


def test_a_new_passive_port_replaces_the_old_one(mirror: FtpWorkerProcess) -> None:
    with mirror.client() as client:
        before = mirror.descriptors()
        for _ in range(20):
            port = passive_port(answer(client, "EPSV"))
        assert mirror.descriptors() == before + 1
        assert not is_refused("127.0.0.1", port)


def test_an_unused_passive_port_is_closed_after_a_while(root: Path) -> None:
    with ftp_worker(root, limits=replace(SHORT, idle_s=60)) as mirror, mirror.client() as client:
        port = passive_port(answer(client, "EPSV"))
        wait_until(lambda: is_refused("127.0.0.1", port))


def test_a_transfer_whose_data_connection_never_comes_is_given_up(root: Path) -> None:
    with ftp_worker(root, limits=SHORT) as mirror, mirror.stranger() as client:
        client.login()
        answer(client, "EPSV")
        assert answer(client, "RETR file").startswith("150")
        assert client.getmultiline().startswith("425")


def test_the_public_address_is_what_clients_are_told(root: Path) -> None:
    with ftp_worker(root, settings=Settings(root, public_address="203.0.113.9")) as mirror, mirror.client() as client:
        assert answer(client, "PASV").startswith("227 Entering Passive Mode (203,0,113,9,")
        # ftplib and curl go to the host that they know instead
        assert fetch(client) == BODY


def test_workers_share_a_passive_range_and_say_when_it_is_used_up(root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        first = taken.getsockname()[1]
    settings = Settings(root, passive_ports=(first, first))
    with (
        ftp_worker(root, settings=settings) as one,
        ftp_worker(root, settings=settings, listener=listening()) as other,
        one.client() as holder,
        other.client() as waiting,
    ):
        assert passive_port(answer(holder, "EPSV")) == first
        for _ in range(3):
            assert answer(waiting, "EPSV").startswith("425")
        assert other.stderr().count("--passive-ports") == 1
        assert fetch(holder) == BODY
        # the running transfer's end, or its TIME_WAIT, holds no port
        assert passive_port(answer(waiting, "EPSV")) == first
        answer(waiting, "ABOR")
