"""Heads as bytes."""

from __future__ import annotations

import pytest

from mirror.http.heads import Heads, rest_of_head
from mirror.http.response import REASONS, OutgoingResponse, text_response


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now_s = 1_600_000_000.25

    def __call__(self) -> float:
        return self.now_s


def test_a_head() -> None:
    response = OutgoingResponse(200, [("Content-Length", "3"), ("ETag", '"a"')], (b"abc",))
    assert Heads(Clock()).head(response, keeps=True, http_1_0=False) == (
        b"HTTP/1.1 200 OK\r\nServer: kubeedge-mirror\r\nDate: Sun, 13 Sep 2020 12:26:40 GMT\r\n"
        b'Content-Length: 3\r\nETag: "a"\r\n\r\n'
    )


@pytest.mark.parametrize(
    ("keeps", "http_1_0", "expected"),
    [
        (True, False, None),
        (False, False, b"Connection: close\r\n"),
        (True, True, b"Connection: keep-alive\r\n"),
        (False, True, b"Connection: close\r\n"),
    ],
)
def test_whether_the_connection_stays(keeps: bool, http_1_0: bool, expected: bytes | None) -> None:
    head = Heads(Clock()).head(text_response(404, ""), keeps=keeps, http_1_0=http_1_0)
    assert (b"Connection:" in head) is (expected is not None)
    assert expected is None or expected in head


def test_the_date_moves_with_the_clock() -> None:
    clock = Clock()
    heads = Heads(clock)
    clock.now_s += 1
    assert b"12:26:40" in heads.opening
    heads.tick()
    assert b"12:26:41" in heads.opening
    assert heads.opening + rest_of_head([("ETag", '"a"')]) == heads.head(
        OutgoingResponse(200, [("ETag", '"a"')]), keeps=True, http_1_0=False
    )


@pytest.mark.parametrize("status", sorted(REASONS))
def test_every_status_has_its_reason(status: int) -> None:
    head = Heads(Clock()).head(OutgoingResponse(status, []), keeps=True, http_1_0=False)
    assert head.startswith(f"HTTP/1.1 {status} {REASONS[status]}\r\n".encode())
    assert head.endswith(b"\r\n\r\n")
