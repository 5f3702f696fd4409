from __future__ import annotations

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.http.redirect import Hop, next_hop
from bundler.net.interface import Credentials

SECRET = Credentials("user", "s3cret")
START = Hop(
    "GET",
    "https://dl.example/a/file?x=1",
    {"Authorization": "Bearer s3cret", "Cookie": "c", "Range": "bytes=5-"},
    SECRET,
    None,
)


def follow(location: str, hop: Hop = START, status: int = 302) -> Hop:
    following = next_hop(hop, status, {"Location": location})
    assert following is not None
    return following


@pytest.mark.parametrize("location", ["https://dl.example/b", "https://DL.example:443/b", "/b", "../b"])
def test_the_same_origin_keeps_credentials(location: str) -> None:
    following = follow(location)
    assert following.credentials == SECRET
    assert following.headers["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("start", "location"),
    [
        (START.url, "https://cdn.example/b"),
        (START.url, "https://dl.example:8443/b"),
        (START.url, "//dl.example.evil.example/b"),
        ("http://dl.example/a", "https://dl.example/b"),
    ],
)
def test_another_host_port_or_scheme_gets_no_credentials(start: str, location: str) -> None:
    following = follow(location, Hop("GET", start, START.headers, SECRET, None))
    assert following.credentials is None
    assert dict(following.headers) == {"Range": "bytes=5-"}


def test_credentials_do_not_come_back_on_a_way_round() -> None:
    away = follow("https://cdn.example/b")
    assert follow("https://dl.example/c", away).credentials is None


@pytest.mark.parametrize(
    "location",
    ["http://dl.example/b", "ftp://dl.example/b", "file:///etc/passwd", "https://dl.example:x/b"],
)
def test_downgrades_and_nonsense_are_refused(location: str) -> None:
    with pytest.raises(SourceError) as raised:
        follow(location)
    assert (raised.value.id, raised.value.retryable) == (ErrorId.SOURCE_REFUSED, False)


@pytest.mark.parametrize(
    ("status", "method", "following"),
    [(301, "HEAD", "HEAD"), (302, "POST", "GET"), (303, "POST", "GET"), (307, "POST", "POST"), (308, "POST", "POST")],
)
def test_methods(status: int, method: str, following: str) -> None:
    hop = follow("/b", Hop(method, START.url, {}, None, b"x" if method == "POST" else None), status)
    assert hop.method == following
    assert (hop.body is not None) == (following == "POST")


def test_a_body_does_not_travel_to_another_host() -> None:
    with pytest.raises(SourceError) as raised:
        follow("https://cdn.example/b", Hop("POST", START.url, {}, None, b"password=s3cret"), 307)
    assert raised.value.id == ErrorId.SOURCE_REFUSED


@pytest.mark.parametrize(("status", "headers"), [(200, {"Location": "/b"}), (304, {"Location": "/b"}), (302, {})])
def test_other_answers_are_no_redirects(status: int, headers: dict[str, str]) -> None:
    assert next_hop(START, status, headers) is None


def test_locations_may_hold_utf8() -> None:
    assert follow("/b/\xc3\xa9").url == "https://dl.example/b/\u00e9"


def test_secrets_do_not_show_in_a_repr() -> None:
    assert "s3cret" not in repr(START)
