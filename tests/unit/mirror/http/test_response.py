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
from mirror.http.response import OutgoingResponse, file_response, text_response
from tests.unit.mirror.http.a_file import MODIFIED, a_file

BODY = bytes(range(256)) * 4
FILE = a_file(len(BODY))


def sent(response: OutgoingResponse, body: bytes = BODY) -> bytes:
    """Return the content that goes out."""
    return b"".join(body[piece.start : piece.stop] if isinstance(piece, Span) else piece for piece in response.pieces)


def get(**fields: str) -> OutgoingResponse:
    """Answer a GET with these fields, an underscore for each hyphen."""
    return file_response({name.replace("_", "-").encode(): value for name, value in fields.items()}, FILE)


def test_the_whole_file() -> None:
    response = get()
    assert FILE.digest is not None
    encoded = base64.b64encode(bytes.fromhex(FILE.digest.hex)).decode()
    assert response.status == 200
    assert dict(response.fields) == {
        "ETag": FILE.etag,
        "Last-Modified": MODIFIED,
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
        "Repr-Digest": f"sha-256=:{encoded}:",
        "Content-Type": "application/x-rpm",
        "Content-Length": str(len(BODY)),
    }
    assert sent(response) == BODY


def test_nobody_vouches_for_a_shared_file() -> None:
    assert "Repr-Digest" not in dict(file_response({}, a_file(shared=True)).fields)


def test_a_part() -> None:
    response = get(range="bytes=10-19")
    fields = dict(response.fields)
    assert (response.status, fields["Content-Range"], fields["Content-Length"]) == (206, "bytes 10-19/1024", "10")
    assert fields["Content-Type"] == "application/x-rpm"
    assert fields["ETag"] == FILE.etag
    assert sent(response) == BODY[10:20]


def test_a_304_says_what_a_cache_keeps_and_nothing_of_the_content() -> None:
    response = get(if_none_match=FILE.etag)
    assert response.status == 304
    assert [name for name, _ in response.fields] == ["ETag", "Last-Modified", "Cache-Control"]
    assert response.pieces == ()


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"if_match": '"other"'}, 412), ({"range": "bytes=5000-"}, 416), ({"range": "bytes=-0"}, 416)],
)
def test_refusals_promise_what_they_send(fields: dict[str, str], status: int) -> None:
    response = get(**fields)
    assert response.status == status
    assert dict(response.fields)["Content-Length"] == str(len(sent(response)))
    assert response.file is None


def test_a_416_says_how_long_the_file_is() -> None:
    assert dict(get(range="bytes=5000-").fields)["Content-Range"] == "bytes */1024"


@given(st.lists(st.tuples(st.integers(0, 1100), st.integers(0, 200)), min_size=2, max_size=12))
def test_many_parts_promise_what_they_send_and_can_be_read_back(asked: list[tuple[int, int]]) -> None:
    response = get(range="bytes=" + ",".join(f"{start}-{start + more}" for start, more in asked))
    fields = dict(response.fields)
    body = sent(response)
    assert fields["Content-Length"] == str(len(body))
    if "multipart" not in fields.get("Content-Type", ""):
        return
    assert response.status == 206
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
    assert covered == sum(piece.size for piece in response.pieces if isinstance(piece, Span))


def test_the_boundary_is_the_same_for_the_same_question() -> None:
    field = "bytes=0-1,5-6"
    assert sent(get(range=field)) == sent(get(range=field))
    assert hashlib.sha256(FILE.etag.encode()).hexdigest()[:40].encode() not in sent(get(range=field))


def test_a_text_answer_promises_bytes_not_characters() -> None:
    response = text_response(404, "nichts da: ü\n", [("Allow", "GET")], closes=True)
    assert dict(response.fields) == {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": "14",
        "Allow": "GET",
    }
    assert response.closes
