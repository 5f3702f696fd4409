"""Answers as values: exactly as many bytes as they promise."""

from __future__ import annotations

import base64
import email
import email.policy
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror.http.ranges import Span
from mirror.http.response import Answer, file_answer, text_answer
from tests.unit.mirror.http.a_file import MODIFIED, a_file

BODY = bytes(range(256)) * 4
FILE = a_file(len(BODY))


def sent(answer: Answer, body: bytes = BODY) -> bytes:
    """Return the content that goes out."""
    return b"".join(body[piece.start : piece.stop] if isinstance(piece, Span) else piece for piece in answer.pieces)


def get(**fields: str) -> Answer:
    """Answer a GET with these fields, an underscore for each hyphen."""
    return file_answer({name.replace("_", "-").encode(): value for name, value in fields.items()}, FILE)


def test_the_whole_file() -> None:
    answer = get()
    assert FILE.digest is not None
    encoded = base64.b64encode(bytes.fromhex(FILE.digest.hex)).decode()
    assert answer.status == 200
    assert dict(answer.fields) == {
        "ETag": FILE.etag,
        "Last-Modified": MODIFIED,
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Repr-Digest": f"sha-256=:{encoded}:",
        "Content-Type": "application/x-rpm",
        "Content-Length": str(len(BODY)),
    }
    assert sent(answer) == BODY


def test_nobody_vouches_for_a_shared_file() -> None:
    assert "Repr-Digest" not in dict(file_answer({}, a_file(shared=True)).fields)


def test_a_part() -> None:
    answer = get(range="bytes=10-19")
    fields = dict(answer.fields)
    assert (answer.status, fields["Content-Range"], fields["Content-Length"]) == (206, "bytes 10-19/1024", "10")
    assert fields["Content-Type"] == "application/x-rpm"
    assert fields["ETag"] == FILE.etag
    assert sent(answer) == BODY[10:20]


def test_a_304_says_what_a_cache_keeps_and_nothing_of_the_content() -> None:
    answer = get(if_none_match=FILE.etag)
    assert answer.status == 304
    assert [name for name, _ in answer.fields] == ["ETag", "Last-Modified", "Cache-Control"]
    assert answer.pieces == ()


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"if_match": '"other"'}, 412), ({"range": "bytes=5000-"}, 416), ({"range": "bytes=-0"}, 416)],
)
def test_refusals_promise_what_they_send(fields: dict[str, str], status: int) -> None:
    answer = get(**fields)
    assert answer.status == status
    assert dict(answer.fields)["Content-Length"] == str(len(sent(answer)))
    assert answer.file is None


def test_a_416_says_how_long_the_file_is() -> None:
    assert dict(get(range="bytes=5000-").fields)["Content-Range"] == "bytes */1024"


@given(st.lists(st.tuples(st.integers(0, 1100), st.integers(0, 200)), min_size=2, max_size=12))
def test_many_parts_promise_what_they_send_and_can_be_read_back(asked: list[tuple[int, int]]) -> None:
    answer = get(range="bytes=" + ",".join(f"{start}-{start + more}" for start, more in asked))
    fields = dict(answer.fields)
    body = sent(answer)
    assert fields["Content-Length"] == str(len(body))
    if "multipart" not in fields.get("Content-Type", ""):
        return
    assert answer.status == 206
    assert "Content-Range" not in fields
    head = f"Content-Type: {fields['Content-Type']}\r\n\r\n".encode("latin-1")
    # an email parser changes line ends inside of parts, so sizes are compared by hand
    message = email.message_from_bytes(head + body.replace(BODY[10:14], b"...."), policy=email.policy.HTTP)
    parts = message.get_payload()
    assert isinstance(parts, list)
    covered = 0
    for part in parts:
        assert not isinstance(part, str)
        assert part["Content-Type"] == "application/x-rpm"
        first, _, last = str(part["Content-Range"]).removeprefix("bytes ").partition("/")[0].partition("-")
        part_head = f"\r\nContent-Range: {part['Content-Range']}\r\n\r\n".encode()
        begin = body.index(part_head) + len(part_head)
        wanted = BODY[int(first) : int(last) + 1]
        assert body[begin : begin + len(wanted)] == wanted
        assert body[begin + len(wanted) :].startswith(b"\r\n--")
        covered += len(wanted)
    assert covered == sum(piece.size for piece in answer.pieces if isinstance(piece, Span))


def test_the_boundary_is_the_same_for_the_same_question() -> None:
    field = "bytes=0-1,5-6"
    assert sent(get(range=field)) == sent(get(range=field))
    assert hashlib.sha256(FILE.etag.encode()).hexdigest()[:40].encode() not in sent(get(range=field))


def test_a_text_answer_promises_bytes_not_characters() -> None:
    answer = text_answer(404, "nichts da: ü\n", [("Allow", "GET")], closes=True)
    assert dict(answer.fields) == {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": "14",
        "Allow": "GET",
    }
    assert answer.closes
