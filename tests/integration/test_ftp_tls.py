"""Explicit TLS on the FTP worker, as curl, lftp and Python's ftplib speak it."""

from __future__ import annotations

import ftplib
import random
import socket
import ssl
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import bcrypt
import pytest

from mirror.settings import Settings, TlsFiles
from mirror.shared.counters import Field
from mirror.worker.control import KeyFiles
from tests.fakes.certificates import Authority, authority
from tests.integration.ftp_mirror import SHORT, WITHIN_S, ftp_worker, wait_until
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.ftp_mirror import FtpWorkerProcess

BIG = random.Random(8).randbytes(7_000_003)
CONTENTS = {"big.bin": BIG, "empty": b"", "small": b"small"}
USERS = b"edge:" + bcrypt.hashpw(b"s3cret", bcrypt.gensalt(4)) + b"\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bundle(tmp_path_factory.mktemp("ftps") / "root", CONTENTS)


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("authority"))


def key_files_of(trusted: Authority, users: bytes | None = None) -> KeyFiles:
    pem = trusted.server_file("127.0.0.1").read_bytes()
    return KeyFiles(users=users, certificate=pem, key=pem)


def settings_of(root: Path, *, users: bool = False, rate_limit: int | None = None) -> Settings:
    # the names only: what is in the files comes as bytes
    nowhere = root / "nowhere.pem"
    return Settings(
        root, tls=TlsFiles(nowhere, nowhere), users=root / "nobody" if users else None, rate_limit=rate_limit
    )


@pytest.fixture(scope="module")
def mirror(root: Path, trusted: Authority) -> Iterator[FtpWorkerProcess]:
    with ftp_worker(root, settings=settings_of(root), key_files=key_files_of(trusted)) as worker:
        yield worker


def connected(mirror: FtpWorkerProcess, trusted: Authority, **versions: ssl.TLSVersion) -> ftplib.FTP_TLS:
    """Return a client that has not sent AUTH yet."""
    context = ssl.create_default_context(cafile=str(trusted.file))
    for name, version in versions.items():
        setattr(context, name, version)
    client = ftplib.FTP_TLS(context=context)  # noqa: S321 - what is tested
    client.connect(mirror.host, mirror.port, timeout=WITHIN_S)
    return client


def fetched(client: ftplib.FTP, path: str) -> bytes:
    got: list[bytes] = []
    client.retrbinary(f"RETR {path}", got.append)
    return b"".join(got)


def refusal(client: ftplib.FTP, command: str) -> str:
    with pytest.raises(ftplib.error_perm) as refused:
        client.sendcmd(command)
    return str(refused.value)


@pytest.mark.parametrize("path", sorted(CONTENTS))
@pytest.mark.parametrize("options", [[], ["--tls-max", "1.2"], ["--ftp-ssl-control"]])
def test_curl(mirror: FtpWorkerProcess, trusted: Authority, tmp_path: Path, path: str, options: list[str]) -> None:
    tls = ["--ssl-reqd"] if "--ftp-ssl-control" not in options else []
    command = ["curl", "-sS", *tls, *options, "--cacert", str(trusted.file), "-o", "got", f"{mirror.url}/{path}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    got = tmp_path / "got"
    assert (got.read_bytes() if got.exists() else b"") == CONTENTS[path]


def test_active_connections_are_protected_too(mirror: FtpWorkerProcess, trusted: Authority) -> None:
    # curl 7.87 and 7.88 cannot (curl issue 10666)
    with connected(mirror, trusted) as client:
        client.login()
        client.prot_p()
        client.set_pasv(False)
        for path, content in CONTENTS.items():
            assert fetched(client, path) == content


def test_lftp_mirrors_and_resumes(mirror: FtpWorkerProcess, trusted: Authority, tmp_path: Path) -> None:
    (tmp_path / "big.bin").write_bytes(BIG[:999_999])
    settings = f"set ssl:ca-file {trusted.file}; set ftp:ssl-force true; set ftp:ssl-protect-data true"
    settings += "; set net:max-retries 1; set cmd:fail-exit yes"
    commands = f"{settings}; open {mirror.url}; get -c big.bin; mirror / got"
    subprocess.run(["lftp", "-c", commands], cwd=tmp_path, check=True, timeout=60, capture_output=True)
    assert (tmp_path / "big.bin").read_bytes() == BIG
    assert {path: (tmp_path / "got" / path).read_bytes() for path in CONTENTS} == CONTENTS


def test_the_access_log_says_ftps(mirror: FtpWorkerProcess, trusted: Authority) -> None:
    with connected(mirror, trusted) as client:
        client.login()
        client.prot_p()
        assert fetched(client, "small") == b"small"
        client.prot_c()
        assert fetched(client, "small") == b"small"
    wait_until(lambda: '"protocol": "ftps"' in mirror.log.read_text())


def test_without_auth_everything_stays_as_it_is(mirror: FtpWorkerProcess) -> None:
    with mirror.client() as client:
        assert "AUTH TLS" in client.sendcmd("FEAT")
        assert fetched(client, "big.bin") == BIG
        assert refusal(client, "PROT P").startswith("503")
        assert refusal(client, "PBSZ 0").startswith("503")
        assert refusal(client, "AUTH KERBEROS").startswith("504")


def test_the_order_of_the_commands_is_kept(mirror: FtpWorkerProcess, trusted: Authority) -> None:
    with connected(mirror, trusted) as client:
        client.auth()
        assert refusal(client, "AUTH TLS").startswith("503")
        assert refusal(client, "PROT P").startswith("503")
        assert client.sendcmd("PBSZ 0").startswith("200")
        assert refusal(client, "PROT S").startswith("536")
        assert client.sendcmd("PROT P").startswith("200")
        assert refusal(client, "CCC").startswith("502")


def test_old_versions_of_tls_are_refused(mirror: FtpWorkerProcess, trusted: Authority) -> None:
    client = connected(mirror, trusted, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    with pytest.raises((ssl.SSLError, OSError)):
        client.auth()
    client.close()


def test_commands_smuggled_in_behind_auth_are_not_obeyed(mirror: FtpWorkerProcess) -> None:
    with mirror.raw() as connection:
        connection.sendall(b"AUTH TLS\r\nUSER anonymous\r\nPASS x\r\n")
        assert connection.makefile("rb").read().startswith(b"503 ")


def test_rubbish_instead_of_a_handshake_ends_the_connection_only(mirror: FtpWorkerProcess) -> None:
    before = mirror.descriptors()
    for rubbish in (b"\x16\x03\x01\xff\xff" + b"x" * 500, b"GET / HTTP/1.1\r\n\r\n", b"\0" * 50):
        with mirror.raw() as connection:
            connection.sendall(b"AUTH TLS\r\n")
            assert connection.recv(100).startswith(b"234")
            connection.sendall(rubbish)
            # closed or reset, at the latest when the rest of the record cannot come any more
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1000):
                    pass
    wait_until(lambda: mirror.descriptors() <= before)


def test_rubbish_on_a_protected_data_connection_ends_the_transfer_only(
    mirror: FtpWorkerProcess, trusted: Authority
) -> None:
    with connected(mirror, trusted) as client:
        client.login()
        client.prot_p()
        host, port = client.makepasv()
        with socket.create_connection((host, port), timeout=WITHIN_S) as data:
            data.sendall(b"no handshake at all, whatever it may look like\r\n")
            client.putcmd("RETR small")
            assert client.getmultiline().startswith("150")
            assert client.getmultiline().startswith("426")
        assert fetched(client, "small") == b"small"


def test_rubbish_inside_of_tls_ends_the_connection_only(mirror: FtpWorkerProcess, trusted: Authority) -> None:
    before = mirror.descriptors()
    for rubbish in (b"PWD\r\n", b"\x17\x03\x03\x00\x40" + b"x" * 64, b"\x15\x03\x03\x00\x02\x02\x14", b"\0" * 500):
        client = connected(mirror, trusted)
        client.login()
        assert isinstance(client.sock, ssl.SSLSocket)
        with socket.socket(fileno=client.sock.detach()) as under:
            under.settimeout(WITHIN_S)
            under.sendall(rubbish)
            with suppress(ConnectionResetError):
                while under.recv(1000):
                    pass
    wait_until(lambda: mirror.descriptors() <= before)
    # an alert is what a client may say; the rest is no more than a closed connection either
    assert mirror.stderr() == ""


def test_a_handshake_that_never_comes_is_not_waited_for(root: Path, trusted: Authority) -> None:
    with ftp_worker(root, settings=settings_of(root), key_files=key_files_of(trusted), limits=SHORT) as mirror:
        for begun in (b"", b"\x16\x03\x01\x02\x00"):
            with mirror.raw() as connection:
                connection.sendall(b"AUTH TLS\r\n")
                assert connection.recv(100).startswith(b"234")
                connection.sendall(begun)
                with suppress(ConnectionResetError):
                    while connection.recv(1000):
                        pass
        wait_until(lambda: mirror.slot.get(Field.OPEN_CONNECTIONS) == 0)
        assert mirror.stderr() == ""


def test_passwords_are_accepted_over_tls_only(root: Path, trusted: Authority) -> None:
    settings = settings_of(root, users=True)
    with ftp_worker(root, settings=settings, key_files=key_files_of(trusted, USERS)) as mirror:
        with mirror.stranger() as client:
            assert refusal(client, "USER edge").startswith("530 Passwords are accepted over TLS only")
            assert refusal(client, "USER anonymous").startswith("530")
        with connected(mirror, trusted) as client:
            client.login("edge", "s3cret")
            client.prot_p()
            assert fetched(client, "big.bin") == BIG


def test_a_reload_takes_a_new_certificate_for_new_connections(root: Path, tmp_path: Path, trusted: Authority) -> None:
    other = authority(tmp_path, "Another Root")
    with ftp_worker(root, settings=settings_of(root), key_files=key_files_of(trusted)) as mirror:
        with connected(mirror, trusted) as old:
            old.login()
            old.prot_p()
            mirror.reload(root, 2, key_files_of(other))
            assert mirror.expect("reloaded").generation == 2
            assert fetched(old, "small") == b"small"
            with connected(mirror, other) as new:
                new.login()
            with pytest.raises(ssl.SSLCertVerificationError):
                connected(mirror, trusted).login()
        bad = KeyFiles(certificate=b"no certificate", key=b"no key")
        mirror.reload(root, 3, bad)
        assert "serve-tls-invalid" in mirror.expect("failed").text
        with connected(mirror, other) as new:
            new.login()
        assert mirror.slot.get(Field.GENERATION) == 2


def test_the_cap_holds_for_protected_transfers(root: Path, trusted: Authority) -> None:
    settings = settings_of(root, rate_limit=20_000_000)
    with (
        ftp_worker(root, settings=settings, key_files=key_files_of(trusted)) as mirror,
        connected(mirror, trusted) as client,
    ):
        client.login()
        client.prot_p()
        assert fetched(client, "big.bin") == BIG
