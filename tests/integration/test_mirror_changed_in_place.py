"""A listed file that is written to in place while it is sent, in all four ways: it never arrives whole."""

from __future__ import annotations

import ftplib
import json
import os
import random
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.fakes.certificates import authority
from tests.integration.mirror_program import eventually, mirror
from tests.integration.raw_http import connected, request
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.integration.mirror_program import Mirror

# more than all buffers between two sockets hold
BIG = random.Random(12).randbytes(32 << 20)
SMALL_WINDOW = 16384
BEGIN = 1000
PROTOCOLS = ["http", "https", "ftp", "ftps"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "root", {"big": BIG, "other": b"other"})


@pytest.fixture
def options(tmp_path: Path, request: pytest.FixtureRequest) -> list[str]:
    protocol = request.getfixturevalue("protocol")
    given = ["--ftp", "127.0.0.1:0"]
    if protocol.endswith("s"):
        given += ["--tls-cert", str(authority(tmp_path).server_file("127.0.0.1", "master"))]
    return given


def untrusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@contextmanager
def begun(running: Mirror, protocol: str, offset: int) -> Iterator[Callable[[], tuple[bytes, bool]]]:
    """Ask for the file and read its first bytes; give what reads the rest, and whether that ended as a whole file."""
    if protocol.startswith("http"):
        context = untrusting() if protocol == "https" else None
        with connected(running.port, context, receive_bytes=SMALL_WINDOW) as wire:
            fields = ["Connection: close", *([f"Range: bytes={offset}-"] if offset else [])]
            wire.send(request("/big", *fields))
            head = wire.socket.recv(16)

            def rest() -> tuple[bytes, bool]:
                _, _, body = (head + wire.rest()).partition(b"\r\n\r\n")
                return body, len(body) == len(BIG) - offset

            yield rest
        return
    client = ftplib.FTP_TLS(context=untrusting()) if protocol == "ftps" else ftplib.FTP()  # noqa: S321 - what is tested
    client.connect("127.0.0.1", running.ftp_port, timeout=60)
    with client:
        client.login()
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
        client.sendcmd("TYPE I")
        with client.transfercmd("RETR big", rest=offset or None) as data:
            first = data.recv(1)

            def rest() -> tuple[bytes, bool]:
                body = bytearray(first)
                try:
                    while part := data.recv(1 << 20):
                        body += part
                except (ConnectionResetError, ssl.SSLError):
                    pass
                data.close()
                try:
                    return bytes(body), client.getmultiline().startswith("226")
                except ftplib.Error:
                    return bytes(body), False

            yield rest


@pytest.mark.parametrize("offset", [0, BEGIN], ids=["all", "a part"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_it_is_cut_told_and_served_again_when_it_is_right(
    root: Path, options: list[str], protocol: str, offset: int
) -> None:
    file = root / "big"
    with mirror(root, *options) as running:
        with begun(running, protocol, offset) as rest:
            before = file.stat()
            with file.open("r+b") as stream:
                stream.seek(len(BIG) - 9)
                stream.write(b"not these")
            # whoever keeps the date, as copying tools do
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
            body, whole = rest()
        assert not whole
        assert len(body) < len(BIG) - offset
        running.told("/big was written to while it was sent; the transfer is cut")
        eventually(lambda: health(running) == (503, False), "health is red")
        with file.open("r+b") as stream:
            stream.seek(len(BIG) - 9)
            stream.write(BIG[-9:])
        # nobody asks for the file
        eventually(lambda: health(running) == (200, True), "health is green again")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_next_bundles_names_for_it_cut_nothing(root: Path, options: list[str], protocol: str) -> None:
    with mirror(root, *options) as running:
        with begun(running, protocol, 0) as rest:
            os.link(root / "big", root / "unlisted")
            body, whole = rest()
        assert whole
        assert body == BIG


def health(running: Mirror) -> tuple[int, bool]:
    context = untrusting() if running.tls else None
    with connected(running.port, context) as wire:
        answer = wire.get("/-/health")
        return answer.status, json.loads(answer.body)["complete"]
