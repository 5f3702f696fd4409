"""HTTP/1.1 byte by byte: what no library sends, and what every proxy in between relies on."""

from __future__ import annotations

import random
import socket
from typing import TYPE_CHECKING

import pytest

from tests.integration.mirror_program import eventually, mirror
from tests.integration.raw_http import connected, request
from tests.unit.mirror.bundle_tree import write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.mirror_program import Mirror

BIG = random.Random(5).randbytes(8_000_000)
NAMES = [f"small/{number}" for number in range(50)]
CONTENTS = {"big": BIG, "empty": b"", **{name: f"this is {name}\n".encode() for name in NAMES}}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mirror]:
    with mirror(write_bundle(tmp_path_factory.mktemp("site") / "root", CONTENTS)) as running:
        yield running


def test_two_hundred_requests_at_once_are_answered_in_order(served: Mirror) -> None:
    asked = [NAMES[number % len(NAMES)] for number in range(200)]
    with connected(served.port) as wire:
        # the second time they come from memory
        for _ in range(2):
            wire.send(b"".join(request(f"/{name}") for name in asked))
            assert [wire.answer().body for _ in asked] == [CONTENTS[name] for name in asked]


def test_large_small_and_empty_answers_mix_on_one_connection(served: Mirror) -> None:
    asked = ["big", "small/1", "empty", "big", "empty", "empty", "small/2", "big"]
    with connected(served.port, receive_bytes=16384) as wire:
        wire.send(b"".join(request(f"/{name}") for name in asked))
        assert [wire.answer().body for _ in asked] == [CONTENTS[name] for name in asked]
        assert wire.get("/small/3").body == CONTENTS["small/3"]


def test_more_than_may_wait_behind_a_large_answer_is_told_by_the_last_one(served: Mirror) -> None:
    with connected(served.port, receive_bytes=16384) as wire:
        wire.send(request("/big") + b"".join(request(f"/{NAMES[0]}") for _ in range(1000)))
        answers = [wire.answer()]
        while answers[-1].fields.get("connection") != "close":
            answers.append(wire.answer())
        assert answers[0].body == BIG
        assert {answer.body for answer in answers[1:]} == {CONTENTS[NAMES[0]]}
        assert len(answers) > 32
        assert wire.rest() == b""


def test_a_client_that_only_ended_its_own_side_gets_everything(served: Mirror) -> None:
    with connected(served.port, receive_bytes=16384) as wire:
        wire.send(request("/big") + request("/small/1"))
        wire.socket.shutdown(socket.SHUT_WR)
        assert wire.answer().body == BIG
        assert wire.answer().body == CONTENTS["small/1"]
        assert wire.rest() == b""


def test_head_has_the_fields_of_get_and_no_content(served: Mirror) -> None:
    with connected(served.port) as wire:
        for target in ("/small/1", "/big", "/empty", "/absent", "/small", "/small/", "/-/health"):
            wanted, told = wire.get(target), wire.get(target, method="HEAD")
            assert told.status == wanted.status
            ignored = {"date", "content-length"} if target == "/-/health" else {"date"}
            for name in wanted.fields.keys() - ignored:
                assert told.fields[name] == wanted.fields[name]
            assert told.body == b""


@pytest.mark.parametrize("target", ["*", "/", "/small/1", "http://master/absent"])
def test_options(served: Mirror, target: str) -> None:
    with connected(served.port) as wire:
        answer = wire.get(target, method="OPTIONS")
        assert (answer.status, answer.fields["allow"]) == (204, "GET, HEAD, OPTIONS")
        assert "content-length" not in answer.fields
        assert wire.get("/small/1").status == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (request("/small/1", method="DELETE"), 405),
        (request("/small/1", "Content-Length: 0", method="POST"), 405),
        (request("/small/1", "Content-Length: 3", method="PUT") + b"abc", 405),
        (request("master:443", method="CONNECT"), 405),
        (request("/small/1", method="BREW"), 501),
        (request("/small/1", method="get"), 501),
        (request("small/1"), 400),
        (b"GET /small/1 HTTP/2.0\r\nHost: master\r\n\r\n", 505),
        (b"GET /small/1 HTTP/3.7\r\nHost: master\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /small/1 HTTP/1.1\r\n\r\n", 400),
        (b"GET /small/1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /small/1 HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (request("/small/1", "Expect: tea"), 417),
        (request("/small/1", "Content-Length: 70000", "Expect: 100-continue"), 413),
    ],
)
def test_what_is_not_done_here(served: Mirror, head: bytes, status: int) -> None:
    with connected(served.port) as wire:
        wire.send(head)
        answer = wire.answer()
        assert answer.status == status
        assert ("allow" in answer.fields) is (status == 405)


def test_http_0_9_gets_no_file(served: Mirror) -> None:
    with connected(served.port) as wire:
        wire.send(b"GET /small/1\r\n\r\n")
        assert wire.answer().status == 505
        assert wire.rest() == b""


@pytest.mark.parametrize(
    "body", [b"5\r\nhello\r\n0\r\n\r\n", b"0\r\n\r\n", b"5;ext=1\r\nhello\r\n0\r\nTrailer: x\r\n\r\n"]
)
def test_content_of_a_get_is_read_over(served: Mirror, body: bytes) -> None:
    with connected(served.port) as wire:
        wire.send(request("/small/1", "Transfer-Encoding: chunked") + body + request("/small/2"))
        assert [wire.answer().body for _ in range(2)] == [CONTENTS["small/1"], CONTENTS["small/2"]]


def test_absolute_form_asks_this_host_whatever_it_names(served: Mirror) -> None:
    with connected(served.port) as wire:
        assert wire.get("http://other.example:1/small/1").body == CONTENTS["small/1"]
        assert wire.get("http://other.example").status == 200
        assert wire.get("ftp://other.example/small/1").status == 400


@pytest.mark.parametrize(
    ("fields", "stays"),
    [
        ((), True),
        (("Connection: close",), False),
        (("Connection: keep-alive",), True),
        (("Connection: x, close",), False),
    ],
)
def test_connections_stay_open_as_agreed(served: Mirror, fields: tuple[str, ...], stays: bool) -> None:
    with connected(served.port) as wire:
        answer = wire.get("/small/1", *fields)
        assert ("connection" in answer.fields) is not stays
        if stays:
            assert wire.get("/small/2").status == 200
        else:
            assert wire.rest() == b""


@pytest.mark.parametrize("keeps", [True, False])
def test_http_1_0(served: Mirror, keeps: bool) -> None:
    with connected(served.port) as wire:
        head = b"GET /small/1 HTTP/1.0\r\n" + (b"Connection: keep-alive\r\n" if keeps else b"") + b"\r\n"
        for _ in range(2 if keeps else 1):
            wire.send(head)
            answer = wire.answer()
            assert answer.body == CONTENTS["small/1"]
            assert answer.fields["connection"] == ("keep-alive" if keeps else "close")
        assert keeps or wire.rest() == b""


def test_many_ranges_promise_what_they_send(served: Mirror) -> None:
    with connected(served.port) as wire:
        field = "Range: bytes=" + ",".join(f"{at}-{at + 9}" for at in range(0, 3200, 100))
        answer = wire.get("/big", field)
        assert answer.status == 206
        assert answer.body.count(b"Content-Range") == 32
        assert wire.get("/big", "Range: bytes=0-0,-1").body.count(BIG[:1] + b"\r\n--") >= 1
        assert wire.get("/small/1").status == 200


def test_a_reader_that_leaves_in_the_middle_is_counted_as_cut(served: Mirror) -> None:
    cut = 'mirror_transfers_cut_total{protocol="http"}'
    before = served.metric(cut)
    with connected(served.port, receive_bytes=16384) as wire:
        wire.send(request("/big"))
        assert wire.socket.recv(1000)
    eventually(lambda: served.metric(cut) == before + 1, "the cut transfer is counted")
