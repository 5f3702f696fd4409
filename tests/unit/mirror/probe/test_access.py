"""Addresses of mirrors, and who one is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SourceError
from mirror.probe.access import login_for, trusting
from mirror.probe.interface import MirrorLogin
from mirror.probe.mirror_address import MirrorAddress

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "origin", "port", "base"),
    [
        ("http://master:8088", "http://master:8088", 8088, ""),
        ("http://master/", "http://master", 80, ""),
        ("https://[2001:db8::1]:8443/@kit/", "https://[2001:db8::1]:8443", 8443, "/@kit"),
        ("ftp://master", "ftp://master", 21, ""),
        ("ftps://master", "ftps://master", 21, ""),
    ],
)
def test_addresses(text: str, origin: str, port: int, base: str) -> None:
    target = MirrorAddress.parse(text)
    assert (target.origin, target.port, target.base, str(target)) == (origin, port, base, origin + base)
    assert target.url_path("a b/#c") == f"{base}/a%20b/%23c"


def test_a_base_is_decoded_for_ftp_and_encoded_for_urls() -> None:
    for text in ("ftp://master/@my%20kit/", "ftp://master/@my kit"):
        target = MirrorAddress.parse(text)
        assert target.base == "/@my kit"
        assert target.url_path("a b") == "/@my%20kit/a%20b"
        assert str(target) == "ftp://master/@my%20kit"


@pytest.mark.parametrize(
    "text",
    [
        "master:8088",
        "rsync://master",
        "http://",
        "http://a?b",
        "http://a:x",
        "http://a#b",
        "ftp://a/%0d%0aDELE",
        "ftp://a/%ff",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        MirrorAddress.parse(text)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match="--user") as raised:
        MirrorAddress.parse("http://edge:s3cret@master")
    assert "s3cret" not in str(raised.value)


def test_where_a_password_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    file.write_text("machine master login edge password from-netrc\ndefault login anyone password never\n")
    file.chmod(0o600)
    environment = {"NETRC": str(file)}
    assert login_for("master", None, environment) == MirrorLogin("edge", "from-netrc")
    assert login_for("master", "edge", environment) == MirrorLogin("edge", "from-netrc")
    assert login_for("master", "edge", {**environment, "MIRROR_PASSWORD": ""}) == MirrorLogin("edge", "")
    assert login_for("master", "other", {**environment, "MIRROR_PASSWORD": "p"}) == MirrorLogin("other", "p")
    assert login_for("elsewhere", None, environment) is None
    assert login_for("master", None, {"HOME": "/nonexistent"}) is None
    assert "from-netrc" not in repr(login_for("master", None, environment))


def test_a_name_without_a_password(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no password for edge") as raised:
        login_for("master", "edge", {"HOME": str(tmp_path)})
    assert raised.value.id is ErrorId.SOURCE_UNAUTHORIZED


def test_a_netrc_that_is_none(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("neither this nor that\n")
    with pytest.raises(SourceError) as raised:
        login_for("master", None, {"HOME": str(tmp_path)})
    assert raised.value.id is ErrorId.CREDENTIALS_UNREADABLE


def test_a_file_of_no_certificates(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(SourceError) as raised:
        trusting(tmp_path / "ca.pem")
    assert raised.value.id is ErrorId.SOURCE_TLS
