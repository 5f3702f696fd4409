"""Certificates and keys as bytes: what fits together is used, everything else is told of."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ServeError
from mirror.http.tls import TlsContexts, server_context
from tests.fakes.certificates import authority

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.certificates import Authority


@pytest.fixture
def site(tmp_path: Path) -> Authority:
    return authority(tmp_path)


def read(files: tuple[Path, Path]) -> tuple[bytes, bytes]:
    certificate, key = files
    return certificate.read_bytes(), key.read_bytes()


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> ssl.SSLObject:
    """Let two contexts talk in memory; returns the client's side."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(down, up, server_hostname="master"),
        server.wrap_bio(up, down, server_side=True),
    )  # fmt: skip
    for _ in range(10):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ends[0]


def client_context(site: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(site.file))
    context.check_hostname = False
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def test_a_pair_speaks_modern_tls_and_http_1_1(site: Authority) -> None:
    context = server_context(*read(site.client_files("master")), "master.pem")
    spoken = shake_hands(context, client_context(site))
    assert spoken.version() == "TLSv1.3"
    assert spoken.selected_alpn_protocol() == "http/1.1"


def test_old_versions_are_refused(site: Authority) -> None:
    context = server_context(*read(site.client_files("master")), "master.pem")
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_one_file_may_hold_both_and_a_chain_of_any_length(site: Authority) -> None:
    certificate, key = read(site.client_files("master"))
    # more than a pipe holds at once
    chain = certificate + site.file.read_bytes() * 200 + key
    assert len(chain) > 65536
    shake_hands(server_context(chain, chain, "master.pem"), client_context(site)).getpeercert()


@pytest.mark.parametrize(
    "fault", ["empty", "no PEM", "other key", "encrypted key", "no key", "no certificate", "cut", "binary"]
)
def test_what_cannot_be_used_is_told_of(site: Authority, fault: str) -> None:
    certificate, key = read(site.client_files("master"))
    match fault:
        case "empty":
            certificate = b""
        case "no PEM":
            certificate = b"certificate\n"
        case "other key":
            key = site.client_files("another")[1].read_bytes()
        case "encrypted key":
            key = site.client_files("locked", passphrase=b"s3cret")[1].read_bytes()
        case "no key":
            key = certificate
        case "no certificate":
            certificate = key
        case "cut":
            certificate = certificate[:200]
        case _:
            key = b"\0\xff" * 100_000
    with pytest.raises(ServeError) as caught:
        server_context(certificate, key, "/etc/master.pem")
    assert caught.value.id is ErrorId.SERVE_TLS_INVALID
    assert "/etc/master.pem" in caught.value.text()
    assert "PRIVATE KEY" not in caught.value.text()


def test_an_encrypted_key_asks_nobody(site: Authority) -> None:
    pair = read(site.client_files("locked", passphrase=b""))
    server_context(*pair, "locked.pem")
    certificate, key = read(site.client_files("locked", passphrase=b"s3cret"))
    # a question on the terminal would wait for ever
    with pytest.raises(ServeError):
        server_context(certificate, key, "locked.pem")


def test_new_connections_get_the_newest_certificate(site: Authority) -> None:
    first, second = (server_context(*read(site.client_files(name)), name) for name in ("one", "two"))
    contexts = TlsContexts(first)

    def shown() -> str:
        told = shake_hands(contexts.listening, client_context(site)).getpeercert()
        assert told is not None
        return str(told["subject"])

    assert "'one'" in shown()
    contexts.newest = second
    assert "'two'" in shown()
