"""What edge and master say, as bytes; whatever else comes is a ValueError with words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bundler.site.invitation.join_message import (
    END,
    MAX_REQUEST_BYTES,
    JoinAnswer,
    JoinRefusal,
    JoinRequest,
    decode_answer,
)

REQUEST = JoinRequest("edge1.site", b"s" * 16, "ab" * 32)
ANSWER = JoinAnswer("edge1", "token.of.keadm", {"version": 1}, "PEM\n", {"auths": {}}, "cd" * 32)


def test_both_come_back() -> None:
    line = REQUEST.encode()
    assert line.endswith(END)
    assert len(line) < MAX_REQUEST_BYTES
    assert JoinRequest.decode(line.removesuffix(END)) == REQUEST
    assert JoinRequest.decode(JoinRequest("e", b"s" * 16).encode()).bundle == ""
    assert decode_answer(ANSWER.encode()) == ANSWER
    assert decode_answer(JoinRefusal("code", "no").encode()) == JoinRefusal("code", "no")


def test_neither_shows_what_is_secret() -> None:
    assert "token.of.keadm" not in repr(ANSWER)
    assert "auths" not in repr(ANSWER)
    assert "s" * 16 not in repr(REQUEST)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "bundler.site-join-request/2"},
        {"host": "Edge One"},
        {"host": ""},
        {"host": "e\n2026 127.0.0.1 edge2 accepted"},
        {"host": 1},
        {"secret": "00"},
        {"secret": "Z" * 32},
        {"secret": None},
        {"bundle": "x"},
    ],
)
def test_what_is_no_request_is_refused(change: dict[str, Any]) -> None:
    value = {**json.loads(REQUEST.encode()), **change}
    with pytest.raises(ValueError, match=r"."):
        JoinRequest.decode(json.dumps(value).encode())


@pytest.mark.parametrize("data", [b"", b"\xff", b"GET / HTTP/1.1", b"[]", b"[" * 4000, b"1" * 4000, b'{"a":1,"a":1}'])
def test_hostile_bytes_are_no_request_and_no_answer(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        JoinRequest.decode(data)
    with pytest.raises(ValueError, match=r"."):
        decode_answer(data + END)


def test_an_answer_that_is_cut_anywhere_is_none() -> None:
    whole = ANSWER.encode()
    for end in range(len(whole)):
        with pytest.raises(ValueError, match="ends in the middle"):
            decode_answer(whole[:end])


@pytest.mark.parametrize(
    "change",
    [{"schema": "x/1"}, {"site": 1}, {"site": None}, {"docker_config": []}, {"token": ""}, {"token": " "},
     {"token": "a\nb"}, {"token": 1}, {"registry_ca": None}, {"bundle": 0}, {"host": None}],
)  # fmt: skip
def test_what_is_no_answer_is_refused(change: dict[str, Any]) -> None:
    value = {**json.loads(ANSWER.encode()), **change}
    with pytest.raises(ValueError, match=r"."):
        decode_answer(json.dumps(value).encode() + END)
