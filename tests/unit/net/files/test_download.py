from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.net.files.download import FileDownloader
from bundler.net.http.conditional import place_of
from bundler.net.interface import CachedDocument, Credentials, Document, Received, Validators
from bundler.net.mirrors import Mirrors
from bundler.net.retry import Retry
from tests.fakes.progress import RecordingTask
from tests.fakes.store import MemoryIncoming, MemoryStore
from tests.fakes.transport import Reply, ScriptedTransport, cut_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

URL = "https://dl.example/a.tar.gz"
CONTENT = b"content" * 1000
MTIME_S = 1445412480


@pytest.fixture
def sink(tmp_path: Path) -> MemoryIncoming:
    return MemoryIncoming(MemoryStore(tmp_path), "name")


def downloader(transport: ScriptedTransport, *rules: str, only: bool = False, attempts: int = 2) -> FileDownloader:
    known = {"dl.example": Credentials("user", "s3cret"), "m.example": Credentials("mirror", "other")}
    retry = Retry(attempts, sleep=lambda _: None)
    return FileDownloader(transport, Mirrors.parse(rules, only=only), retry, known.get)


def served(**headers: str) -> Reply:
    fields = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(200, {"Content-Length": str(len(CONTENT))} | fields, CONTENT)


def test_a_cut_download_is_continued(sink: MemoryIncoming) -> None:
    cut = replace(served(ETag='"1"'), cut_at=4000)
    span = f"bytes 4000-{len(CONTENT) - 1}/{len(CONTENT)}"
    transport = ScriptedTransport(
        cut, Reply(206, {"Content-Range": span, "ETag": '"1"', "Last-Modified": ""}, CONTENT[4000:]), Reply(404)
    )
    task = RecordingTask()
    received = downloader(transport).download([URL], sink, task)
    assert received == Received(len(CONTENT), None, "")
    assert (bytes(sink.data), task.advanced, len(task.notes)) == (CONTENT, len(CONTENT), 1)
    assert transport.asked[1].headers["Range"] == "bytes=4000-"


def test_bytes_of_an_earlier_run_count_as_progress_once(sink: MemoryIncoming) -> None:
    sink.restart('"1"')
    sink.write(b"x" * 50)
    task = RecordingTask()
    downloader(ScriptedTransport(cut_error(), served(ETag='"2"'))).download([URL], sink, task)
    assert (bytes(sink.data), task.advanced) == (CONTENT, len(CONTENT))


def test_mirrors_are_asked_first_and_named(sink: MemoryIncoming) -> None:
    transport = ScriptedTransport(Reply(404), served())
    task = RecordingTask()
    rules = ("https://dl.example/=https://x.example/", "https://dl.example/=https://m.example/d/")
    received = downloader(transport, *rules).download([URL], sink, task)
    assert received.via == "https://m.example/d/"
    assert [asked.url for asked in transport.asked] == ["https://x.example/a.tar.gz", "https://m.example/d/a.tar.gz"]
    assert "404" in task.notes[0]
    assert task.notes[0].endswith("trying https://m.example/d/a.tar.gz")


def test_every_host_gets_its_own_credentials_only(sink: MemoryIncoming) -> None:
    transport = ScriptedTransport(Reply(404), Reply(404), served())
    rules = ("https://dl.example/=https://x.example/", "https://dl.example/=https://m.example/")
    downloader(transport, *rules).download([URL], sink, RecordingTask())
    assert [asked.credentials and asked.credentials.username for asked in transport.asked] == [None, "mirror", "user"]


def test_the_next_url_is_tried_when_one_keeps_failing(sink: MemoryIncoming) -> None:
    transport = ScriptedTransport(cut_error(), cut_error(), served())
    received = downloader(transport).download([URL, "https://b.example/a"], sink, RecordingTask())
    assert received.size == len(CONTENT)
    assert [asked.url for asked in transport.asked] == [URL, URL, "https://b.example/a"]


def test_a_mirror_that_is_out_of_date_gives_way_to_the_original(sink: MemoryIncoming) -> None:
    stale = Reply(200, {"Content-Length": "3"}, b"old")
    transport = ScriptedTransport(stale, served())
    rule = "https://dl.example/=https://m.example/"
    received = downloader(transport, rule).download([URL], sink, RecordingTask(), size=len(CONTENT))
    assert (received.via, bytes(sink.data)) == ("", CONTENT)


def test_bytes_of_one_place_are_not_continued_from_another_whose_validator_differs(sink: MemoryIncoming) -> None:
    first = Reply(200, {"Content-Length": str(len(CONTENT)), "ETag": '"1"'}, b"y" * len(CONTENT), cut_at=5000)
    other = Reply(
        206, {"Content-Range": f"bytes 5000-{len(CONTENT) - 1}/{len(CONTENT)}", "ETag": '"2"'}, CONTENT[5000:]
    )
    transport = ScriptedTransport(first, other, served(ETag='"2"'))
    size = len(CONTENT)
    downloader(transport, attempts=1).download([URL, "https://b.example/a"], sink, RecordingTask(), size=size)
    assert bytes(sink.data) == CONTENT
    assert transport.asked[1].headers["If-Range"] == '"1"'


def test_bytes_of_two_places_are_never_joined_where_nothing_is_pinned(sink: MemoryIncoming) -> None:
    cut = replace(served(ETag='"1"'), body=b"y" * len(CONTENT), cut_at=5000)
    transport = ScriptedTransport(cut, served(ETag='"1"'))
    rule = "https://dl.example/=https://m.example/"
    downloader(transport, rule, attempts=1).download([URL], sink, RecordingTask())
    assert bytes(sink.data) == CONTENT
    assert "Range" not in transport.asked[1].headers


def only_content(sink: MemoryIncoming) -> Callable[[Received], None]:
    def check(received: Received) -> None:
        if bytes(sink.data) != CONTENT:
            raise IntegrityError(
                ErrorId.DIGEST_MISMATCH, "is wrong", where=received.via, remedy="-", want="right", got="wrong"
            )

    return check


def test_a_mirror_with_wrong_bytes_gives_way_to_the_original(sink: MemoryIncoming) -> None:
    wrong = replace(served(), body=b"x" * len(CONTENT))
    transport = ScriptedTransport(wrong, served())
    task = RecordingTask()
    found = downloader(transport, "https://dl.example/=https://m.example/").download(
        [URL], sink, task, size=len(CONTENT), accept=only_content(sink)
    )
    assert (found.via, bytes(sink.data), task.advanced) == ("", CONTENT, len(CONTENT))
    assert task.notes[0].endswith(f"trying {URL}")


def test_what_a_mirror_began_wrongly_is_fetched_whole_from_the_original(sink: MemoryIncoming) -> None:
    begun = replace(served(ETag='"1"'), body=b"x" * len(CONTENT), cut_at=5000)
    rest = Reply(
        206,
        {
            "Content-Range": f"bytes 5000-{len(CONTENT) - 1}/{len(CONTENT)}",
            "ETag": '"1"',
            "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT",
        },
        CONTENT[5000:],
    )
    transport = ScriptedTransport(begun, rest, served())
    task = RecordingTask()
    downloader(transport, "https://dl.example/=https://m.example/", attempts=1).download(
        [URL], sink, task, size=len(CONTENT), accept=only_content(sink)
    )
    assert (bytes(sink.data), task.advanced) == (CONTENT, len(CONTENT))
    transport.assert_done()


def test_wrong_bytes_everywhere_are_the_last_places_error(sink: MemoryIncoming) -> None:
    wrong = replace(served(), body=b"x" * len(CONTENT))
    rule = "https://dl.example/=https://m.example/"
    with pytest.raises(IntegrityError) as raised:
        downloader(ScriptedTransport(wrong, wrong), rule).download(
            [URL], sink, RecordingTask(), accept=only_content(sink)
        )
    assert (raised.value.where, sink.offset) == ("", 0)
    assert "1 other place failed" in raised.value.text()


def test_the_last_error_is_raised_with_the_number_of_the_others(sink: MemoryIncoming) -> None:
    urls = [URL, "https://b.example/a", "https://c.example/a"]
    with pytest.raises(SourceError) as raised:
        downloader(ScriptedTransport(Reply(404), Reply(404), Reply(403))).download(urls, sink, RecordingTask())
    assert raised.value.id == ErrorId.SOURCE_UNAUTHORIZED
    assert raised.value.where == "https://c.example/a"
    assert "2 other places failed" in raised.value.text()


def test_a_changed_size_is_the_last_error_too(sink: MemoryIncoming) -> None:
    transport = ScriptedTransport(Reply(404), served())
    with pytest.raises(IntegrityError) as raised:
        downloader(transport).download([URL, "https://b.example/a"], sink, RecordingTask(), size=5)
    assert (raised.value.want, raised.value.got) == ("5 bytes", f"{len(CONTENT)} bytes")
    assert str(raised.value).count("want") == 1
    assert "1 other place failed" in raised.value.text()


def test_mirror_only_skips_urls_that_no_rule_matches(sink: MemoryIncoming) -> None:
    transport = ScriptedTransport(served())
    rule = "https://dl.example/=https://m.example/"
    downloader(transport, rule, only=True).download(["https://b.example/a", URL], sink, RecordingTask())
    assert [asked.url for asked in transport.asked] == ["https://m.example/a.tar.gz"]
    with pytest.raises(SourceError, match="only mirrors"):
        downloader(ScriptedTransport(), rule, only=True).download(["https://b.example/a"], sink, RecordingTask())


def test_a_document_is_read_whole() -> None:
    transport = ScriptedTransport(Reply(503), Reply(200, {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"hex"))
    assert downloader(transport).read(URL, max_bytes=3) == Document(b"hex", MTIME_S, "")


def test_a_document_may_not_be_longer_than_allowed() -> None:
    with pytest.raises(SourceError):
        downloader(ScriptedTransport(Reply(200, {}, b"long"))).read(URL, max_bytes=3)


def test_the_size_is_what_the_first_place_announces() -> None:
    transport = ScriptedTransport(Reply(405), Reply(200), Reply(200, {"Content-Length": "7"}))
    assert downloader(transport).size([URL, "https://b.example/a", "https://c.example/a"]) == 7
    assert [asked.method for asked in transport.asked] == ["HEAD"] * 3


def test_the_size_is_unknown_when_no_place_tells() -> None:
    assert downloader(ScriptedTransport(Reply(405), Reply(200))).size([URL, "https://b.example/a"]) is None


def test_the_size_of_what_does_not_exist_is_an_error() -> None:
    with pytest.raises(SourceError) as raised:
        downloader(ScriptedTransport(Reply(404))).size([URL])
    assert raised.value.id == ErrorId.SOURCE_NOT_FOUND


def test_a_local_file_is_read_from_its_beginning(sink: MemoryIncoming, tmp_path: Path) -> None:
    file = tmp_path / "with space.bin"
    file.write_bytes(CONTENT)
    os.utime(file, (MTIME_S, MTIME_S))
    sink.restart('"1"')
    sink.write(b"stale")
    task = RecordingTask()
    url = file.as_uri()
    local = downloader(ScriptedTransport(), only=True)
    assert local.download([url], sink, task, size=len(CONTENT)) == Received(len(CONTENT), MTIME_S, "")
    assert (bytes(sink.data), sink.validator, task.advanced) == (CONTENT, "", len(CONTENT))
    assert local.size([url]) == len(CONTENT)
    assert local.read(url, max_bytes=len(CONTENT)) == Document(CONTENT, MTIME_S, "")
    with pytest.raises(SourceError, match="longer than"):
        local.read(url, max_bytes=10)


def test_a_local_file_from_before_1970_has_no_date(sink: MemoryIncoming, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    os.utime(tmp_path / "a", (-1, -1))
    url = (tmp_path / "a").as_uri()
    assert downloader(ScriptedTransport()).download([url], sink, RecordingTask()).last_modified is None
    assert downloader(ScriptedTransport()).read(url, max_bytes=1).last_modified is None


@pytest.mark.parametrize(("name", "id"), [("absent", "source-not-found"), ("", "source-not-found")])
def test_a_local_file_that_is_missing_or_a_directory(sink: MemoryIncoming, tmp_path: Path, name: str, id: str) -> None:  # noqa: A002 - the field's name
    with pytest.raises(SourceError) as raised:
        downloader(ScriptedTransport()).download([(tmp_path / name).as_uri()], sink, RecordingTask())
    assert raised.value.id == id
    assert not raised.value.retryable


def test_a_local_file_of_another_size_than_pinned(sink: MemoryIncoming, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    with pytest.raises(IntegrityError):
        downloader(ScriptedTransport()).download([(tmp_path / "a").as_uri()], sink, RecordingTask(), size=4)


@pytest.mark.parametrize("url", ["file://host.example/a", "file:relative"])
def test_file_urls_of_other_hosts_are_refused(sink: MemoryIncoming, url: str) -> None:
    with pytest.raises(SourceError) as raised:
        downloader(ScriptedTransport()).download([url], sink, RecordingTask())
    assert raised.value.id == ErrorId.SOURCE_INVALID


CACHED = CachedDocument(b"held", Validators(place_of(URL), etag='"1"'))


def test_an_unchanged_document_is_the_cached_one() -> None:
    transport = ScriptedTransport(Reply(304, {"ETag": '"1"'}))
    found = downloader(transport).read(URL, max_bytes=9, cached=CACHED)
    assert found == Document(b"held", None, "", CACHED.validators, reused=True)
    assert transport.asked[0].headers["If-None-Match"] == '"1"'


def test_a_document_that_has_changed_comes_with_its_new_validators() -> None:
    transport = ScriptedTransport(Reply(200, {"ETag": '"2"'}, b"new"))
    found = downloader(transport).read(URL, max_bytes=9, cached=CACHED)
    assert found == Document(b"new", None, "", Validators(place_of(URL), etag='"2"'))


def test_a_304_about_other_bytes_is_followed_by_a_request_for_the_whole() -> None:
    transport = ScriptedTransport(Reply(304, {"ETag": '"7"'}), Reply(200, {}, b"whole"))
    assert downloader(transport).read(URL, max_bytes=9, cached=CACHED) == Document(b"whole", None, "")
    assert "If-None-Match" not in transport.asked[1].headers


def test_a_304_that_nobody_asked_for_is_an_error() -> None:
    for cached in (None, CachedDocument(b"held", Validators(place_of("https://elsewhere.example/"), etag='"1"'))):
        transport = ScriptedTransport(Reply(304, {"ETag": '"1"'}))
        with pytest.raises(SourceError, match="304") as raised:
            downloader(transport).read(URL, max_bytes=9, cached=cached)
        assert raised.value.id == ErrorId.SOURCE_REFUSED
        assert "If-None-Match" not in transport.asked[0].headers


def test_a_mirror_is_asked_with_what_it_said_itself_and_the_original_for_the_whole() -> None:
    mirror = "https://m.example/a.tar.gz"
    cached = CachedDocument(b"held", Validators(place_of(mirror), etag='"m"'))
    transport = ScriptedTransport(Reply(404), Reply(200, {}, b"whole"))
    rule = "https://dl.example/=https://m.example/"
    assert downloader(transport, rule).read(URL, max_bytes=9, cached=cached).data == b"whole"
    assert [asked.headers.get("If-None-Match") for asked in transport.asked] == ['"m"', None]
    unchanged = ScriptedTransport(Reply(304))
    assert downloader(unchanged, rule).read(URL, max_bytes=9, cached=cached).via == "https://m.example/"


def test_what_is_unchanged_is_looked_at_like_what_has_come() -> None:
    def refuse(document: Document) -> None:
        raise SourceError(ErrorId.SOURCE_INVALID, repr(document.data), where=URL, remedy="-")

    with pytest.raises(SourceError, match="held"):
        downloader(ScriptedTransport(Reply(304))).read(URL, max_bytes=9, accept=refuse, cached=CACHED)


def test_credentials_that_cannot_be_read_matter_only_where_some_are_wanted(sink: MemoryIncoming) -> None:
    def unreadable(host: str) -> Credentials | None:
        raise SourceError(ErrorId.CREDENTIALS_UNREADABLE, f"not for {host}", where="/home/me/.netrc", remedy="Mend it.")

    def over(*replies: Reply) -> FileDownloader:
        return FileDownloader(ScriptedTransport(*replies), Mirrors.parse(()), Retry(1), unreadable)

    assert over(served()).download([URL], sink, RecordingTask()).size == len(CONTENT)
    assert over(served()).read(URL, max_bytes=len(CONTENT)).data == CONTENT
    assert over(served()).size([URL]) == len(CONTENT)
    for ask in (over(Reply(401)).size, lambda urls: over(Reply(401)).read(urls[0], max_bytes=9)):
        with pytest.raises(SourceError, match="401 Unauthorized") as raised:
            ask([URL])
        assert (raised.value.id, raised.value.where) == (ErrorId.CREDENTIALS_UNREADABLE, "/home/me/.netrc")
    with pytest.raises(SourceError) as raised:
        over(Reply(404)).size([URL])
    assert raised.value.id == ErrorId.SOURCE_NOT_FOUND
