"""The FTP worker's protocol, command by command, as Python's ftplib and bare sockets see it."""

from __future__ import annotations

import ftplib
import io
import select
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mirror.shared.counters import Field
from tests.integration.ftp_mirror import FtpWorkerProcess, ftp_worker, wait_until
from tests.unit.mirror.bundle_tree import WRITTEN_S, write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

# more than the sockets between a server and a client that does not read hold
BIG = bytes(range(256)) * 80_000
CONTENTS = {"big.bin": BIG, "empty": b"", "text": b"one\ntwo\n", "yum/a.rpm": b"rpm a", "yum/b.rpm": b"rpm b"}
REFUSED = (ftplib.error_perm, ftplib.error_temp)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FtpWorkerProcess]:
    root = write_bundle(tmp_path_factory.mktemp("ftp") / "root", CONTENTS)
    (root / "harbor.yml").write_text("password: secret\n")
    (root / "passwd").symlink_to("/etc/passwd")
    with ftp_worker(root) as worker:
        yield worker


@pytest.fixture
def client(mirror: FtpWorkerProcess) -> Iterator[ftplib.FTP]:
    with mirror.client() as connected:
        yield connected


def memory_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def fetched(client: ftplib.FTP, path: str, rest: int | None = None) -> bytes:
    into = io.BytesIO()
    client.retrbinary(f"RETR {path}", into.write, rest=rest)
    return into.getvalue()


def refusal(client: ftplib.FTP, command: str) -> str:
    with pytest.raises(REFUSED) as refused:
        client.sendcmd(command)
    return str(refused.value)


@pytest.mark.parametrize("passive", [True, False])
@pytest.mark.parametrize("path", sorted(CONTENTS))
def test_files_come_whole_over_passive_and_active_connections(client: ftplib.FTP, path: str, passive: bool) -> None:
    client.set_pasv(passive)
    assert fetched(client, path) == CONTENTS[path]


@pytest.mark.parametrize("offset", [1, 65_537, len(BIG) - 1, len(BIG)])
def test_rest_goes_on_from_there_and_is_forgotten(client: ftplib.FTP, offset: int) -> None:
    assert fetched(client, "big.bin", offset) == BIG[offset:]
    assert fetched(client, "text") == CONTENTS["text"]


def test_rest_beyond_the_end_is_refused(client: ftplib.FTP) -> None:
    client.sendcmd("TYPE I")
    client.makepasv()
    client.sendcmd(f"REST {len(BIG) + 1}")
    assert refusal(client, "RETR big.bin").startswith("554")
    assert refusal(client, "REST -1").startswith("501")
    assert refusal(client, "REST " + "9" * 4000).startswith("501")


def test_ascii_mode_changes_no_byte(client: ftplib.FTP) -> None:
    client.sendcmd("TYPE A")
    with client.transfercmd("RETR text") as connection:
        assert connection.makefile("rb").read() == CONTENTS["text"]
    client.voidresp()
    assert refusal(client, "SIZE text").startswith("550")


def test_directories_are_listed_in_every_form(client: ftplib.FTP) -> None:
    assert client.nlst() == ["SHA256SUMS", "big.bin", "bundle.json", "empty", "text", "yum"]
    assert client.nlst("yum") == ["a.rpm", "b.rpm"]
    assert client.nlst("yum/*a.rpm") == ["yum/a.rpm"]
    assert client.nlst("text") == ["text"]
    facts = dict(client.mlsd())
    assert facts["big.bin"] == {"type": "file", "perm": "r", "size": str(len(BIG)), "modify": "20200913122640"}
    assert facts["yum"]["type"] == "dir"
    for form in ("LIST", "LIST -la", "LIST -a /", "LIST /"):
        lines: list[str] = []
        client.retrlines(form, lines.append)
        assert [line.split()[-1] for line in lines] == client.nlst(), form
    assert refusal(client, "MLSD text").startswith("501")
    assert refusal(client, "LIST nothing").startswith("550")
    assert refusal(client, "NLST *.deb").startswith("550")
    assert client.sendcmd("OPTS MLST size;") == "200 MLST OPTS size;"
    assert client.sendcmd("MLST text") == '250-Listing "/text":\n size=8; /text\n250 End.'


def test_size_and_date_are_told(client: ftplib.FTP) -> None:
    client.sendcmd("TYPE I")
    assert client.size("big.bin") == len(BIG)
    assert client.sendcmd("MDTM /yum/a.rpm") == "213 20200913122640"
    assert WRITTEN_S == 1_600_000_000
    assert refusal(client, "SIZE yum").startswith("550")
    assert refusal(client, "MDTM nothing").startswith("550")


def test_one_walks_through_the_tree_but_not_out_of_it(client: ftplib.FTP) -> None:
    assert client.pwd() == "/"
    client.cwd("yum")
    assert client.pwd() == "/yum"
    assert fetched(client, "a.rpm") == b"rpm a"
    assert fetched(client, "../text") == CONTENTS["text"]
    assert client.sendcmd("CDUP").startswith("250")
    assert client.sendcmd("CDUP").startswith("250")
    assert client.pwd() == "/"
    assert refusal(client, "CWD text").startswith("550")
    assert refusal(client, "CWD nothing").startswith("550")
    assert client.pwd() == "/"


@pytest.mark.parametrize(
    "path",
    [
        "harbor.yml",
        "passwd",
        "../harbor.yml",
        "/../../../../etc/passwd",
        "yum/../../../../../../etc/passwd",
        "/etc/passwd",
        "..\\..\\etc\\passwd",
        "%2e%2e/%2e%2e/etc/passwd",
        "..%2f..%2fetc/passwd",
        "\uff0e\uff0e/etc/passwd",
        "..;/etc/passwd",
        "....//....//etc/passwd",
        "/proc/self/environ",
        "//etc/passwd",
        "text/",
        "text/.",
        "yum",
        "-/health",
        "\udcff\udcfe",
        "x/" * 2000,
    ],
)
def test_what_is_not_listed_is_not_there(mirror: FtpWorkerProcess, path: str) -> None:
    with mirror.client() as client:
        client.encoding = "utf-8"
        client.sendcmd("TYPE I")
        client.makepasv()
        asked = f"RETR {path}\r\n".encode("utf-8", "surrogateescape")
        assert client.sock is not None
        client.sock.sendall(asked)
        answer = client.getline()
        assert answer.startswith("550"), answer


@pytest.mark.parametrize("line", [b"RETR a\0b", b"CWD \x01", b"RE\0TR text", b"LIST \x7f", b"\x1b[A", b"SIZE text\r\r"])
def test_control_characters_are_refused(mirror: FtpWorkerProcess, line: bytes) -> None:
    with mirror.client() as client:
        assert client.sock is not None
        client.sock.sendall(line + b"\r\n")
        assert client.getline().startswith("501")
        assert client.sendcmd("NOOP").startswith("200")


def test_a_line_that_is_too_long_is_one_refused_command(mirror: FtpWorkerProcess) -> None:
    with mirror.client() as client:
        assert client.sock is not None
        client.sock.sendall(b"RETR " + b"a/" * 5000 + b"\r\nPWD\r\n")
        assert client.getline().startswith("500")
        assert client.getline().startswith("257")


@pytest.mark.parametrize(
    "command",
    [
        *["STOR x", "STOU", "APPE x", "DELE text", "MKD x", "RMD yum", "RNFR text", "RNTO x", "SITE CHMOD 777 text"],
        *["MFMT 20200101000000 text", "XMKD x", "XRMD yum", "SITE UTIME text"],
    ],
)
def test_nothing_can_be_written(client: ftplib.FTP, command: str) -> None:
    assert refusal(client, command).startswith("550")
    assert fetched(client, "text") == CONTENTS["text"]


def test_strangers_may_do_next_to_nothing(mirror: FtpWorkerProcess) -> None:
    with mirror.stranger() as client:
        for command in ("LIST", "RETR text", "PASV", "EPSV", "PORT 127,0,0,1,9,9", "CWD /", "STAT /", "STOR x", "PWD"):
            assert refusal(client, command).startswith("530")
        assert client.sendcmd("FEAT").startswith("211")
        assert client.sendcmd("OPTS UTF8 ON").startswith("200")
        assert client.sendcmd("SYST").startswith("215")
        assert "Not logged in" in client.sendcmd("STAT")
        assert refusal(client, "PASS x").startswith("503")
        assert refusal(client, "USER root").startswith("530")


def test_commands_that_come_all_at_once_are_obeyed_in_turn(mirror: FtpWorkerProcess) -> None:
    with mirror.raw() as connection, connection.makefile("rb") as lines:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        own = f"PORT 127,0,0,1,{port // 256},{port % 256}\r\n"
        commands = f"USER ftp\r\nPASS x\r\nTYPE I\r\n{own}RETR text\r\n{own}RETR yum/a.rpm\r\nNOOP\r\nQUIT\r\n"
        connection.sendall(commands.encode())
        got = []
        with listener:
            for _ in range(2):
                data, _ = listener.accept()
                with data:
                    got.append(data.makefile("rb").read())
        assert got == [CONTENTS["text"], b"rpm a"]
        codes = [line[:3].decode() for line in lines]
    assert codes == ["331", "230", "200", "200", "150", "226", "200", "150", "226", "200", "221"]


def test_a_transfer_can_be_aborted(client: ftplib.FTP, mirror: FtpWorkerProcess) -> None:
    client.sendcmd("TYPE I")
    # more than the two sockets hold
    with client.transfercmd("RETR big.bin") as connection:
        connection.recv(1)
        client.putcmd("ABOR")
        assert [client.getmultiline()[:3] for _ in range(2)] == ["426", "226"]
    assert client.sendcmd("NOOP").startswith("200")
    assert client.sendcmd("ABOR").startswith("225")
    assert mirror.slot.get(Field.CUT_TRANSFERS) > 0


def test_the_answer_to_quit_comes_after_the_transfer(mirror: FtpWorkerProcess) -> None:
    with mirror.client() as client:
        client.sendcmd("TYPE I")
        with client.transfercmd("RETR big.bin") as connection:
            client.putcmd("QUIT")
            assert connection.makefile("rb").read() == BIG
        assert client.getmultiline()[:3] == "226"
        assert client.getmultiline()[:3] == "221"


def test_rein_forgets_the_login(client: ftplib.FTP) -> None:
    assert client.sendcmd("REIN").startswith("220")
    assert refusal(client, "PWD").startswith("530")
    client.login()
    assert client.pwd() == "/"


def test_a_client_that_fetches_no_answers_cannot_fill_the_memory(mirror: FtpWorkerProcess) -> None:
    connection = mirror.raw()
    connection.setblocking(False)
    sent, begin = 0, memory_of(mirror.pid)
    # until nothing is taken any more, which the worker decides
    while select.select([], [connection], [], 0.5)[1]:
        sent += connection.send(b"HELP\r\n" * 1000)
    assert memory_of(mirror.pid) - begin < 8 << 20
    connection.close()
    assert sent < 64 << 20
    with mirror.client() as other:
        assert other.pwd() == "/"


def test_status_tells_of_a_running_transfer(client: ftplib.FTP) -> None:
    assert "No transfer" in client.sendcmd("STAT")
    client.makepasv()
    assert "awaited" in client.sendcmd("STAT")
    assert client.sendcmd("STAT yum").startswith('213-Status of "/yum"')
    assert refusal(client, "STAT nothing").startswith("550")


def test_every_transfer_has_a_line_in_the_access_log(mirror: FtpWorkerProcess, client: ftplib.FTP) -> None:
    fetched(client, "yum/b.rpm", 2)
    assert refusal(client, "RETR secret-of-the-log").startswith("550")
    wait_until(lambda: "secret-of-the-log" in mirror.log.read_text())
    lines = mirror.log.read_text().splitlines()
    resumed = [line for line in lines if '"range": "2-4"' in line]
    assert len(resumed) == 1
    for fact in ('"protocol": "ftp"', '"method": "RETR"', '"path": "/yum/b.rpm"', '"bytes": 3', '"complete": true'):
        assert fact in resumed[0]
    assert '"status": 550' in next(line for line in lines if "secret-of-the-log" in line)
