"""Client certificates: how they are written, and which one a URL gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.net.http.client_certs import ClientCertificate, certificate_for


def test_a_certificate_has_its_key_in_the_same_file_or_in_one_of_its_own() -> None:
    both = ClientCertificate.parse("https://dl.example/=a=b.pem")
    assert (both.prefix, both.certificate, both.key) == ("https://dl.example/", Path("a=b.pem"), Path("a=b.pem"))
    apart = ClientCertificate.parse("https://dl.example:8443/x=c.pem,k.pem", Path("/etc/site"))
    assert (apart.certificate, apart.key) == (Path("/etc/site/c.pem"), Path("/etc/site/k.pem"))
    assert ClientCertificate.parse("https://dl.example/=/c.pem", Path("/etc/site")).key == Path("/c.pem")


def test_a_tilde_is_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    certificate = ClientCertificate.parse("https://dl.example/=~/c.pem,~/k.pem", Path("/etc/site"))
    assert (certificate.certificate, certificate.key) == (Path("/home/me/c.pem"), Path("/home/me/k.pem"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not PREFIX=CERT.pem"),
        ("c.pem", "is not PREFIX=CERT.pem"),
        ("https://dl.example/", "is not PREFIX=CERT.pem"),
        ("https://dl.example/=", "is not PREFIX=CERT.pem"),
        ("https://dl.example/=c.pem,", "is not PREFIX=CERT.pem"),
        ("=c.pem", "is not PREFIX=CERT.pem"),
        ("http://dl.example/=c.pem", "for https alone"),
        ("dl.example=c.pem", "for https alone"),
        ("https:///x=c.pem", "for https alone"),
        ("https://dl.example/?a=c.pem", "goes on after its path"),
        ("https://dl.example:port/=c.pem", "port"),
        ("https://us:s3cret@dl.example/=c.pem", "no user info"),
        ("https://us:s3cret@dl.example/", "is not PREFIX=CERT.pem"),
    ],
)
def test_what_is_no_client_certificate(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as raised:
        ClientCertificate.parse(text)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("prefix", "url", "covered"),
    [
        ("https://dl.example/", "https://dl.example/a?b#c", True),
        ("https://dl.example", "https://dl.example/a", True),
        ("https://dl.example/", "https://dl.example", True),
        ("https://DL.example:443/", "HTTPS://dl.EXAMPLE/a", True),
        ("https://dl.example/a", "https://dl.example/a", True),
        ("https://dl.example/a", "https://dl.example/a/b", True),
        ("https://dl.example/a", "https://dl.example/a?b", True),
        ("https://dl.example/a", "https://dl.example/ab", False),
        ("https://dl.example/a/", "https://dl.example/a", False),
        ("https://dl.example/a", "https://dl.example/A", False),
        ("https://dl.example/", "http://dl.example/", False),
        ("https://dl.example/", "https://dl.example:8443/", False),
        ("https://dl.example", "https://dl.example.evil/", False),
        ("https://dl.example", "https://dl.example@evil/", False),
    ],
)
def test_a_prefix_ends_where_a_segment_does(prefix: str, url: str, covered: bool) -> None:
    certificate = ClientCertificate.parse(f"{prefix}=c.pem")
    assert certificate.covers(url) is covered
    assert certificate_for(url, [certificate]) == (certificate if covered else None)


def test_the_longest_prefix_counts_and_of_equal_ones_the_first() -> None:
    texts = ("https://dl.example=1", "https://dl.example:443/a/=2", "https://dl.example/a/=3", "https://dl.example/a=4")
    certificates = [ClientCertificate.parse(text) for text in texts]

    def chosen(url: str) -> str:
        certificate = certificate_for(url, certificates)
        return str(certificate.certificate) if certificate else ""

    assert chosen("https://dl.example/a/x") == "2"
    assert chosen("https://dl.example/a") == "4"
    assert chosen("https://dl.example/b") == "1"
    assert chosen("https://other.example/a/") == ""
