"""Requests as they are told with --verbose: never with a secret."""

from __future__ import annotations

import pytest

from bundler.errors import SourceError
from bundler.net.http.observed_transport import ObservedTransport
from bundler.net.interface import Credentials
from bundler.request_log import RequestLog
from tests.fakes.transport import Asked, FakeTransport, Reply

SECRET = "hunter2hunter2"


def observed(reply: Reply) -> tuple[list[str], FakeTransport, ObservedTransport]:
    lines: list[str] = []
    transport = FakeTransport(lambda _asked: reply)
    return lines, transport, ObservedTransport(transport, RequestLog(lines.append, lambda: 0.0))


def test_what_is_sent_and_what_comes_is_the_same() -> None:
    lines, transport, through = observed(Reply(201, {"ETag": '"x"'}, b"a" * 3000))
    login = Credentials("me", SECRET)
    with through.request("PUT", "https://h/v2/", headers={"A": "b"}, credentials=login, body=b"body") as response:
        assert (response.status, response.headers["etag"], response.url) == (201, '"x"', "https://h/v2/")
        assert b"".join(response.chunks()) == b"a" * 3000
    assert transport.asked == [Asked("PUT", "https://h/v2/", {"A": "b"}, login, b"body")]
    assert lines == ["PUT https://h/v2/: 201, 2.9 KiB, 0.00 s"]


def test_a_body_that_is_read_as_a_whole_is_counted() -> None:
    lines, _, through = observed(Reply(200, {}, b"abc"))
    with through.request("GET", "https://h/f") as response:
        assert response.read(10) == b"abc"
    assert lines == ["GET https://h/f: 200, 3 B, 0.00 s"]


@pytest.mark.parametrize(
    "url", [f"https://me:{SECRET}@h/f", f"https://h/f?token={SECRET}", f"https://h/f?sig={SECRET}"]
)
def test_no_secret_is_told(url: str) -> None:
    lines, _, through = observed(Reply())
    with through.request("GET", url, headers={"Authorization": SECRET}, credentials=Credentials("me", SECRET)):
        pass
    assert len(lines) == 1
    assert SECRET not in lines[0]


def test_a_body_that_is_cut_is_told() -> None:
    lines, _, through = observed(Reply(200, {}, b"a" * 3000, cut_at=1000))
    with pytest.raises(SourceError), through.request("GET", "https://h/f") as response:
        list(response.chunks())
    assert lines[0].startswith("GET https://h/f: 200, 1000 B, ")
