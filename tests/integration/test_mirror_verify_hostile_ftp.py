"""`mirror verify` against FTP servers that answer nonsense: an error for people each time, and little memory."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bundler.errors import SourceError
from mirror.probe.access import trusting
from mirror.probe.ftp_client import FtpMirrorClient
from mirror.probe.interface import MirrorLogin
from mirror.probe.mirror_address import MirrorAddress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.integration

USUAL: Mapping[str, bytes] = {
    "": b"220 here",
    "USER": b"331 a password",
    "PASS": b"230 welcome",
    "TYPE": b"200 yes",
    "EPSV": b"502 unknown",
    "PASV": b"502 unknown",
}


@contextmanager
def ftp_that_says(answers: Mapping[str, bytes], *, heard: list[str] | None = None) -> Iterator[int]:
    """Serve one client with these answers beside the usual ones; yields the port. What is not known is 200."""
    said = {**USUAL, **answers}

    def converse() -> None:
        with listening.accept()[0] as connection, connection.makefile("rb") as lines:
            try:
                connection.sendall(said[""] + b"\r\n")
                for line in lines:
                    if heard is not None:
                        heard.append(line.decode().rstrip("\r\n"))
                    connection.sendall(said.get(line.split()[0].decode(), b"200 yes") + b"\r\n")
            except OSError:
                # the client has had enough
                return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=converse, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(10)


def failure(url: str, login: MirrorLogin | None = None) -> SourceError:
    """Return what fetching a file ends with."""
    client = FtpMirrorClient(MirrorAddress.parse(url), login, trusting(None), idle_timeout_s=5)
    try:
        with pytest.raises(SourceError) as raised, client.get("bundle.json") as reply:
            list(reply.chunks)
    finally:
        client.close()
    return raised.value


@pytest.mark.parametrize(
    "port", [b"", b"x", b"-1", b"9" * 5000, "٣".encode()], ids=["none", "x", "-1", "long", "arabic"]
)
def test_a_passive_port_that_is_none(port: bytes) -> None:
    with ftp_that_says({"EPSV": b"229 there (|||" + port + b"|)"}) as listens:
        assert "229 there" in failure(f"ftp://127.0.0.1:{listens}").what


def test_a_banner_of_another_encoding_is_no_obstacle() -> None:
    with ftp_that_says({"": "220 镜像".encode("gbk")}) as listens:
        # the first thing that this server cannot do
        assert "502 unknown" in failure(f"ftp://127.0.0.1:{listens}").what


def test_a_reply_without_an_end() -> None:
    endless = b"220-" + b"x" * 4000 + b"\r\n"
    with ftp_that_says({"": endless * 3000}) as listens:
        assert "more than 1000 lines" in failure(f"ftp://127.0.0.1:{listens}").what


def test_names_and_refusals_are_utf_8() -> None:
    heard: list[str] = []
    with ftp_that_says({"PASS": "530 不行".encode()}, heard=heard) as listens:
        assert "530 不行" in failure(f"ftp://127.0.0.1:{listens}", MirrorLogin("边缘", "密码")).what
    assert heard[:2] == ["USER 边缘", "PASS 密码"]


def test_a_login_that_no_command_can_hold() -> None:
    heard: list[str] = []
    with ftp_that_says({}, heard=heard) as listens:
        assert "line feed" in failure(f"ftp://127.0.0.1:{listens}", MirrorLogin("edge", "a\r\nDELE x")).what
        socket.create_connection(("127.0.0.1", listens)).close()
    assert heard == []


@pytest.mark.parametrize("host", ["a..b", "a" * 70 + ".example"])
def test_a_host_that_has_no_such_name(host: str) -> None:
    assert "no name of a host" in failure(f"ftp://{host}").what
