from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.net.http.attempt import accepted, content_length, strong_validator, transfer
from bundler.net.interface import Credentials, Received
from tests.fakes.progress import RecordingTask
from tests.fakes.store import MemoryIncoming, MemoryStore
from tests.fakes.transport import Reply, ScriptedTransport

if TYPE_CHECKING:
    from pathlib import Path

URL, UNPACKED = "https://dl.example/keadm.tar.gz", "https://dl.example/keadm"
CONTENT = bytes(range(256)) * 40
HELD = 3000
TAG = '"v1"'
OLD, OLD_S, NOW = "Wed, 21 Oct 2015 07:28:00 GMT", 1445412480, "Thu, 22 Oct 2015 07:28:00 GMT"


@pytest.fixture
def sink(tmp_path: Path) -> MemoryIncoming:
    return MemoryIncoming(MemoryStore(tmp_path), "name")


@pytest.fixture
def begun(sink: MemoryIncoming) -> MemoryIncoming:
    sink.restart(TAG)
    sink.write(CONTENT[:HELD])
    return sink


def whole(**headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(200, {"Content-Length": str(len(CONTENT)), "Date": NOW, "Last-Modified": OLD} | named, CONTENT)


def rest(first: int = HELD, **headers: str) -> Reply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    fields = {
        "Content-Range": f"bytes {first}-{len(CONTENT) - 1}/{len(CONTENT)}",
        "Content-Length": str(len(CONTENT) - first),
        "ETag": TAG,
        "Last-Modified": OLD,
    }
    return Reply(206, fields | named, CONTENT[first:])


def unsatisfiable(complete: int) -> Reply:
    return Reply(416, {"Content-Range": f"bytes */{complete}"})


def bring(
    transport: ScriptedTransport, sink: MemoryIncoming, url: str = URL, **options: object
) -> tuple[Received, RecordingTask]:
    task = RecordingTask()
    task.advance(sink.offset)
    received = transfer(transport, url, sink, task, **options)  # type: ignore[arg-type] # passed on by name
    transport.assert_done()
    return received, task


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": '"abc"'}, '"abc"'),
        ({"ETag": '"abc"', "Last-Modified": OLD, "Date": NOW}, '"abc"'),
        ({"ETag": 'W/"abc"'}, ""),
        ({"ETag": 'W/"abc"', "Last-Modified": OLD, "Date": NOW}, ""),
        ({"ETag": "abc"}, ""),
        ({"ETag": '"'}, ""),
        ({"Last-Modified": OLD, "Date": NOW}, OLD),
        ({"Last-Modified": OLD}, ""),
        ({"Last-Modified": OLD, "Date": "Wed, 21 Oct 2015 07:28:59 GMT"}, ""),
        ({"Last-Modified": OLD, "Date": "Wed, 21 Oct 2015 07:29:00 GMT"}, OLD),
        ({"Last-Modified": "yesterday", "Date": NOW}, ""),
        ({}, ""),
    ],
)
def test_only_strong_validators_count(headers: dict[str, str], validator: str) -> None:
    assert strong_validator(headers) == validator


def test_a_fresh_download_asks_for_everything(sink: MemoryIncoming) -> None:
    transport = ScriptedTransport(whole(ETag=TAG))
    credentials = Credentials("user", "s3cret")
    received, task = bring(transport, sink, headers={"Accept": "x/y"}, credentials=credentials)
    assert received == Received(len(CONTENT), OLD_S, "")
    assert (bytes(sink.data), sink.validator, task.advanced) == (CONTENT, TAG, len(CONTENT))
    assert dict(transport.asked[0].headers) == {"Accept": "x/y"}
    assert transport.asked[0].credentials == credentials


def test_the_rest_is_asked_for_and_appended(begun: MemoryIncoming) -> None:
    transport = ScriptedTransport(rest())
    received, task = bring(transport, begun, headers={"Accept": "x/y"})
    assert received == Received(len(CONTENT), OLD_S, "")
    assert (bytes(begun.data), task.advanced) == (CONTENT, len(CONTENT))
    assert dict(transport.asked[0].headers) == {"Accept": "x/y", "Range": f"bytes={HELD}-", "If-Range": TAG}


def test_a_date_is_a_validator_too(sink: MemoryIncoming) -> None:
    sink.restart(OLD)
    sink.write(CONTENT[:HELD])
    partial = replace(rest(), headers={"Content-Range": rest().headers["Content-Range"]})
    transport = ScriptedTransport(partial)
    received, _ = bring(transport, sink)
    assert bytes(sink.data) == CONTENT
    assert received.last_modified == OLD_S
    assert transport.asked[0].headers["If-Range"] == OLD


@pytest.mark.parametrize("tag", [TAG, '"v2"'])
def test_a_server_that_sends_everything_is_begun_anew(begun: MemoryIncoming, tag: str) -> None:
    received, task = bring(ScriptedTransport(whole(ETag=tag)), begun)
    assert received.size == len(CONTENT)
    assert (bytes(begun.data), begun.validator, task.advanced) == (CONTENT, tag, len(CONTENT))


@pytest.mark.parametrize(
    "lie",
    [
        rest(ETag='"v2"'),
        rest(ETag=""),
        rest(HELD - 1),
        rest(Content_Range=f"bytes {HELD}-{len(CONTENT) - 2}/{len(CONTENT)}"),
        rest(Content_Range="bytes nonsense"),
        Reply(206, {"Content-Type": "multipart/byteranges; boundary=x"}, b"--x"),
    ],
    ids=["other-etag", "no-etag", "other-first-byte", "not-to-the-end", "malformed", "multipart"],
)
def test_a_206_that_does_not_continue_is_not_appended(begun: MemoryIncoming, lie: Reply) -> None:
    transport = ScriptedTransport(lie, whole(ETag='"v2"'))
    _, task = bring(transport, begun)
    assert (bytes(begun.data), begun.validator, task.advanced) == (CONTENT, '"v2"', len(CONTENT))
    assert "Range" not in transport.asked[1].headers


def test_a_206_with_another_date_is_not_appended(sink: MemoryIncoming) -> None:
    sink.restart(OLD)
    sink.write(b"x" * HELD)
    transport = ScriptedTransport(rest(Last_Modified=NOW), whole())
    bring(transport, sink)
    assert bytes(sink.data) == CONTENT


def test_without_a_validator_it_begins_anew(sink: MemoryIncoming) -> None:
    sink.write(b"x" * HELD)
    transport = ScriptedTransport(whole())
    _, task = bring(transport, sink)
    assert (bytes(sink.data), task.advanced) == (CONTENT, len(CONTENT))
    assert "Range" not in transport.asked[0].headers


def test_immutable_content_needs_no_validator(sink: MemoryIncoming) -> None:
    sink.write(CONTENT[:HELD])
    transport = ScriptedTransport(rest(ETag='"of this host"'))
    bring(transport, sink, immutable=True, size=len(CONTENT))
    assert bytes(sink.data) == CONTENT
    assert dict(transport.asked[0].headers) == {"Range": f"bytes={HELD}-"}


def test_immutable_content_that_is_whole_needs_no_request(sink: MemoryIncoming) -> None:
    sink.write(CONTENT)
    received, _ = bring(ScriptedTransport(), sink, immutable=True, size=len(CONTENT))
    assert received.size == len(CONTENT)


def test_more_bytes_than_pinned_are_dropped(sink: MemoryIncoming) -> None:
    sink.write(CONTENT + b"x")
    _, task = bring(ScriptedTransport(whole()), sink, immutable=True, size=len(CONTENT))
    assert (bytes(sink.data), task.advanced) == (CONTENT, len(CONTENT))


def test_a_416_at_the_end_means_done_when_head_agrees(sink: MemoryIncoming) -> None:
    sink.restart(TAG)
    sink.write(CONTENT)
    head = Reply(200, {"ETag": TAG, "Last-Modified": OLD, "Content-Length": str(len(CONTENT))})
    transport = ScriptedTransport(unsatisfiable(len(CONTENT)), head)
    assert bring(transport, sink)[0] == Received(len(CONTENT), OLD_S, "")
    assert [asked.method for asked in transport.asked] == ["GET", "HEAD"]


def test_a_416_is_not_believed_when_head_disagrees(sink: MemoryIncoming) -> None:
    sink.restart(TAG)
    sink.write(b"x" * len(CONTENT))
    head = Reply(200, {"ETag": '"v2"', "Content-Length": str(len(CONTENT))})
    bring(ScriptedTransport(unsatisfiable(len(CONTENT)), head, whole(ETag='"v2"')), sink)
    assert bytes(sink.data) == CONTENT


def test_a_416_elsewhere_begins_anew(begun: MemoryIncoming) -> None:
    bring(ScriptedTransport(unsatisfiable(HELD - 1), whole(ETag=TAG)), begun)
    assert bytes(begun.data) == CONTENT


def test_the_date_that_a_206_leaves_out_is_asked_for(begun: MemoryIncoming) -> None:
    head = Reply(200, {"Last-Modified": OLD})
    received, _ = bring(ScriptedTransport(rest(Last_Modified=""), head), begun)
    assert received.last_modified == OLD_S


def test_an_announced_size_other_than_the_pinned_one_is_refused_at_once(begun: MemoryIncoming) -> None:
    with pytest.raises(IntegrityError) as raised:
        bring(ScriptedTransport(whole(ETag='"v2"')), begun, size=len(CONTENT) + 1)
    assert raised.value.id == ErrorId.UPSTREAM_CHANGED
    assert begun.offset == HELD


def test_an_announced_size_in_a_206_is_checked_too(begun: MemoryIncoming) -> None:
    with pytest.raises(IntegrityError):
        bring(ScriptedTransport(rest()), begun, size=len(CONTENT) + 1)


@pytest.mark.parametrize("pinned", [len(CONTENT) - 1, len(CONTENT) + 1, 0])
def test_a_size_that_nobody_announced_is_counted(sink: MemoryIncoming, pinned: int) -> None:
    with pytest.raises(IntegrityError) as raised:
        bring(ScriptedTransport(Reply(200, {}, CONTENT)), sink, size=pinned)
    assert raised.value.id == ErrorId.UPSTREAM_CHANGED
    assert sink.offset <= len(CONTENT)


def test_a_body_shorter_than_announced_is_cut(begun: MemoryIncoming) -> None:
    short = replace(rest(), body=rest().body[:-1])
    with pytest.raises(SourceError) as raised:
        bring(ScriptedTransport(short), begun)
    assert (raised.value.id, raised.value.retryable) == (ErrorId.SOURCE_CUT, True)
    assert bytes(begun.data) == CONTENT[:-1]


def test_what_came_before_a_cut_is_kept(sink: MemoryIncoming) -> None:
    cut = replace(whole(ETag=TAG), cut_at=4321)
    with pytest.raises(SourceError):
        bring(ScriptedTransport(cut), sink)
    assert (bytes(sink.data), sink.validator) == (CONTENT[:4321], TAG)


@pytest.mark.parametrize("status", [404, 503, 403, 204])
def test_other_answers_leave_the_sink_alone(begun: MemoryIncoming, status: int) -> None:
    with pytest.raises(SourceError):
        bring(ScriptedTransport(Reply(status)), begun)
    assert begun.offset == HELD


@pytest.mark.parametrize("text", ["9" * 5000, "9" * 19, "-1", "+1", " 1", "1,1", "\N{ARABIC-INDIC DIGIT ONE}", ""])
def test_what_is_no_length(text: str) -> None:
    assert content_length({"Content-Length": text}) is None


def test_a_range_that_no_file_has_is_asked_for_whole(begun: MemoryIncoming) -> None:
    absurd = Reply(206, {"Content-Range": f"bytes {HELD}-{'9' * 5000}/{'9' * 5000}", "ETag": TAG}, CONTENT[HELD:])
    bring(ScriptedTransport(absurd, whole()), begun)
    assert bytes(begun.data) == CONTENT


class _Refusing:
    """Accepts nothing but the whole content; `brought` counts what it was shown."""

    def __init__(self, sink: MemoryIncoming) -> None:
        self.sink = sink
        self.brought = 0

    def __call__(self, _: object) -> None:
        self.brought += 1
        if bytes(self.sink.data) != CONTENT:
            raise IntegrityError(ErrorId.DIGEST_MISMATCH, "is wrong", remedy="-", want="a", got="b")


def test_bytes_that_were_there_before_are_dropped_when_the_whole_is_wrong(sink: MemoryIncoming) -> None:
    sink.write(b"junk")
    task = RecordingTask()
    task.advance(sink.offset)
    check = _Refusing(sink)

    def bring_rest() -> None:
        fresh = CONTENT[sink.offset :]
        sink.write(fresh)
        task.advance(len(fresh))

    accepted(bring_rest, check, sink, task)
    assert (bytes(sink.data), check.brought, task.advanced) == (CONTENT, 2, len(CONTENT))
    assert "fetched whole again" in task.notes[0]


def test_wrong_bytes_of_one_attempt_are_an_error_at_once(sink: MemoryIncoming) -> None:
    check = _Refusing(sink)
    with pytest.raises(IntegrityError):
        accepted(lambda: sink.write(b"wrong"), check, sink, RecordingTask())
    assert (sink.offset, check.brought) == (0, 1)


def coded(body: bytes = CONTENT, **headers: str) -> Reply:
    packed = gzip.compress(body)
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    fields = {"Content-Encoding": "gzip", "Content-Length": str(len(packed)), "ETag": TAG}
    return Reply(200, fields | named, packed)


@pytest.mark.parametrize("size", [None, len(CONTENT)])
def test_a_coding_that_nobody_asked_for_is_undone_and_leaves_nothing_to_continue(
    sink: MemoryIncoming, size: int | None
) -> None:
    received, task = bring(ScriptedTransport(coded()), sink, UNPACKED, size=size)
    assert (received.size, bytes(sink.data), sink.validator) == (len(CONTENT), CONTENT, "")
    assert task.advanced == len(CONTENT)


def test_a_part_of_coded_bytes_is_not_appended(begun: MemoryIncoming) -> None:
    part = replace(rest(), headers={**rest().headers, "Content-Encoding": "gzip"})
    bring(ScriptedTransport(part, whole()), begun, UNPACKED)
    assert bytes(begun.data) == CONTENT


def test_a_file_that_is_compressed_itself_stays_so(sink: MemoryIncoming) -> None:
    packed = gzip.compress(CONTENT)
    bring(ScriptedTransport(coded()), sink)
    assert bytes(sink.data) == packed
    assert sink.validator == TAG


def test_the_bytes_on_the_wire_stay_where_they_are_as_many_as_the_pinned_ones(sink: MemoryIncoming) -> None:
    packed = gzip.compress(CONTENT)
    received, _ = bring(ScriptedTransport(coded()), sink, UNPACKED, size=len(packed), immutable=True)
    assert (received.size, bytes(sink.data)) == (len(packed), packed)


def test_a_page_in_place_of_the_pinned_file_is_no_change_of_the_file(sink: MemoryIncoming) -> None:
    page = Reply(200, {"Content-Type": "text/html; charset=utf-8", "Content-Length": "9"}, b"<html>log")
    with pytest.raises(SourceError, match="a web page") as raised:
        bring(ScriptedTransport(page), sink, size=len(CONTENT))
    assert raised.value.id == ErrorId.SOURCE_INVALID


def test_what_the_server_calls_the_content_is_told(sink: MemoryIncoming) -> None:
    received, _ = bring(ScriptedTransport(whole(Content_Type="Text/HTML; charset=x")), sink)
    assert received.media_type == "text/html"
