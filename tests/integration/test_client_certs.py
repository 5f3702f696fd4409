"""Client certificates against servers on loopback that demand one; and what is said of files that are none."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import click
import pytest

from bundler.cli.options import NetworkOptions
from bundler.cli.wiring import open_build_context
from bundler.errors import ErrorId, ManifestError, SourceError
from bundler.net.http.client_certs import ClientCertificate
from bundler.net.http.tls import check_presentable
from bundler.net.http.tls_trust import Trust
from bundler.net.http.transport import RequestsTransport
from tests.fakes.certificates import Authority, authority
from tests.fakes.faulty_server import FaultyServer, Reply, ServedFile, faulty_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration
BODY = b"for the few"
VERSIONS = pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@pytest.fixture
def ca(tmp_path: Path) -> Authority:
    return authority(tmp_path)


@pytest.fixture
def server(ca: Authority) -> Iterator[FaultyServer]:
    with faulty_server(ca.server_context("127.0.0.1", clients=ca)) as server:
        server.files["/in/a"] = ServedFile(BODY)
        yield server


def shown(prefix: str, files: tuple[Path, Path]) -> ClientCertificate:
    """Return the certificate of these files for a prefix."""
    return ClientCertificate.parse(f"{prefix}={files[0]},{files[1]}")


def get(url: str, ca: Authority, *certificates: ClientCertificate, insecure: str = "") -> bytes:
    """Return what a transport with these certificates gets."""
    insecure_hosts = frozenset({insecure} if insecure else ())
    ca_file = None if insecure else str(ca.file)
    transport = RequestsTransport(Trust(ca_file, insecure_hosts), client_certificates=certificates)
    try:
        with transport.request("GET", url) as answer:
            assert answer.status == 200
            return answer.read(1000)
    finally:
        transport.close()


def refusal(url: str, ca: Authority, *certificates: ClientCertificate) -> SourceError:
    """Return the error of the TLS handshake."""
    with pytest.raises(SourceError) as raised:
        get(url, ca, *certificates)
    assert (raised.value.id, raised.value.retryable) == (ErrorId.SOURCE_TLS, False)
    return raised.value


@VERSIONS
def test_a_certificate_opens_what_lies_under_its_prefix_alone(ca: Authority, newest: ssl.TLSVersion) -> None:
    with faulty_server(ca.server_context("127.0.0.1", clients=ca, newest=newest)) as server:
        server.files["/in/a"] = server.files["/out/a"] = ServedFile(BODY)
        certificate = shown(server.url("/in/"), ca.client_files("me"))
        assert get(server.url("/in/a"), ca, certificate) == BODY
        error = refusal(server.url("/out/a"), ca, certificate)
    assert "wants a client certificate" in error.what
    assert "--client-cert" in error.remedy


@VERSIONS
def test_a_certificate_of_another_authority_is_named(ca: Authority, newest: ssl.TLSVersion) -> None:
    stranger = authority(ca.file.parent, "Somebody Else").client_files("stranger")
    with faulty_server(ca.server_context("127.0.0.1", clients=ca, newest=newest)) as server:
        error = refusal(server.url("/in/a"), ca, shown(server.url("/"), stranger))
    assert str(stranger[0]) in error.what
    assert "unknown ca" in error.what
    assert "--client-cert" in error.remedy


def test_the_refusal_is_heard_even_when_it_outruns_the_request(server: FaultyServer, ca: Authority) -> None:
    for _ in range(20):
        assert "wants a client certificate" in refusal(server.url("/in/a"), ca).what


def test_the_longest_prefix_is_shown(server: FaultyServer, ca: Authority) -> None:
    stranger = shown(server.url("/"), authority(ca.file.parent, "Somebody Else").client_files("stranger"))
    me = shown(server.url("/in"), ca.client_files("me"))
    assert get(server.url("/in/a"), ca, stranger, me) == BODY


def test_a_redirect_does_not_take_a_certificate_along(server: FaultyServer, ca: Authority) -> None:
    with faulty_server(ca.server_context("127.0.0.1", clients=ca)) as other:
        server.files["/in/b"] = ServedFile(b"", faults=[Reply(302, {"Location": other.url("/in/a")})] * 2)
        other.files["/in/a"] = ServedFile(BODY)
        files = ca.client_files("me")
        error = refusal(server.url("/in/b"), ca, shown(server.url("/"), files))
        assert error.where == other.url("/in/a")
        assert other.asked == []
        assert get(server.url("/in/b"), ca, shown(server.url("/"), files), shown(other.url("/"), files)) == BODY


def test_a_connection_with_a_certificate_serves_no_other_prefix(server: FaultyServer, ca: Authority) -> None:
    server.files["/out/a"] = ServedFile(BODY)
    me = shown(server.url("/in/"), ca.client_files("me"))
    transport = RequestsTransport(Trust(str(ca.file)), client_certificates=[me])
    with transport.request("GET", server.url("/in/a")) as answer:
        answer.read(1000)
    with pytest.raises(SourceError), transport.request("GET", server.url("/out/a")):
        pass
    transport.close()
    assert server.requests_for("/out/a") == []


def test_an_insecure_host_may_want_one_too(server: FaultyServer, ca: Authority) -> None:
    me = shown(server.url("/"), ca.client_files("me"))
    assert get(server.url("/in/a"), ca, me, insecure=f"127.0.0.1:{server.port}") == BODY


def problem(certificate: Path, key: Path) -> str:
    """Return what is said of such files."""
    with pytest.raises(ValueError, match=r".") as raised:
        check_presentable(shown("https://dl.example/", (certificate, key)))
    return str(raised.value)


def test_files_that_cannot_be_used_are_named(ca: Authority, tmp_path: Path) -> None:
    certificate, key = ca.client_files("me")
    _, other_key = ca.client_files("other")
    check_presentable(shown("https://dl.example/", (certificate, key)))
    absent = tmp_path / "absent.pem"
    assert problem(certificate, absent) == f"{absent} cannot be read: No such file or directory"
    assert problem(tmp_path, key) == f"{tmp_path} cannot be read: Is a directory"
    assert problem(certificate, other_key).startswith(f"the key in {other_key} does not belong to")
    assert (
        problem(certificate, certificate) == f"{certificate} does not hold a certificate and its private key, both PEM"
    )
    assert problem(key, key).startswith(f"{key} does not hold")
    assert "holds no certificate" in problem(key, certificate)


def test_a_key_with_a_passphrase_is_refused_without_asking(ca: Authority) -> None:
    certificate, key = ca.client_files("me", passphrase=b"s3cret")
    assert problem(certificate, key).startswith(f"{key} wants a passphrase")


def test_a_transport_does_not_start_without_its_certificate(ca: Authority, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="absent") as raised:
        RequestsTransport(client_certificates=[shown("https://dl.example/", (tmp_path / "absent.pem", ca.file))])
    assert raised.value.id is ErrorId.SOURCE_TLS


def test_options_and_settings_bring_certificates(
    server: FaultyServer, ca: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    settings = tmp_path / "config" / "bundler" / "config.yaml"
    settings.parent.mkdir(parents=True)
    certificate, key = ca.client_files("me")
    for file in (certificate, key):
        (settings.parent / file.name).write_bytes(file.read_bytes())
        (settings.parent / file.name).chmod(0o600)

    def read(*client_certs: str) -> bytes:
        network = NetworkOptions((), False, ca.file, frozenset(), client_certs)
        with open_build_context(tmp_path / "store", network, tmp_path, quiet=True) as context:
            return context.sources.downloader.read(server.url("/in/a"), max_bytes=1000).data

    assert read(f"{server.url('/')}={certificate},{key}") == BODY
    settings.write_text(f"client_certs: ['{server.url('/')}={certificate.name},{key.name}']\n")
    assert read() == BODY
    settings.write_text(f"client_certs: ['{server.url('/')}={certificate.name},absent.pem']\n")
    with pytest.raises(ManifestError, match=r"absent\.pem cannot be read") as raised:
        read()
    assert (raised.value.id, raised.value.where) == (ErrorId.SETTINGS_INVALID, str(settings))
    with pytest.raises(click.UsageError, match=r"--client-cert: .*absent\.pem cannot be read"):
        read("https://dl.example/=absent.pem")
