"""What an upstream can do to a download: it ends with the right bytes or the right error."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId, IntegrityError, SourceError
from bundler.model.digest import Blob
from bundler.net.files.download import FileDownloader
from bundler.net.http.transport import RequestsTransport
from bundler.net.mirrors import Mirrors
from bundler.net.retry import Retry
from bundler.store.blobs import Store
from bundler.store.disk_usage import store_usage
from tests.fakes.faulty_server import (
    LAST_MODIFIED_S,
    Announce,
    Chunked,
    Cut,
    Fault,
    IgnoreIfRange,
    IgnoreRange,
    Replace,
    Reply,
    ServedFile,
    Stall,
    faulty_server,
)
from tests.integration.download_site import BLOB, BODY, PATH, Site, rest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration
NEW = random.Random(2).randbytes(600_000)
OTHER = random.Random(3).randbytes(500_000)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with faulty_server() as server:
        yield Site(server, Store(tmp_path / "store"))


@pytest.mark.parametrize(
    ("faults", "ranges", "moved"),
    [
        ([Cut(250_000)], ["all", rest(250_000)], 600_000),
        ([Cut(1), Cut(299_999), Cut(0)], ["all", rest(1), rest(300_000), rest(300_000)], 600_000),
        ([Cut(0)], ["all", "all"], 600_000),
        ([Stall(250_000)], ["all", rest(250_000)], 600_000),
        ([Stall()], ["all", "all"], 600_000),
        ([Reply(503), Reply(429), Reply(500)], ["all"] * 4, 600_000),
        ([Cut(250_000), Reply(502)], ["all", rest(250_000), rest(250_000)], 600_000),
        ([Announce(700_000)], ["all", rest(600_000), "all"], 600_000),
        ([Cut(250_000), IgnoreRange()], ["all", rest(250_000)], 850_000),
        ([Chunked()], ["all"], None),
        ([Cut(600_000)], ["all"], 600_000),
    ],
    ids=[
        "cut",
        "cut-thrice",
        "cut-at-once",
        "silent-in-the-middle",
        "silent",
        "busy",
        "busy-after-a-cut",
        "announces-too-much",
        "ignores-range",
        "chunked",
        "closes-at-the-end",
    ],
)
def test_the_right_bytes_arrive_and_only_what_is_missing_moves(
    site: Site, faults: list[Fault], ranges: list[str], moved: int | None
) -> None:
    site.serve(*faults)
    assert site.download().size == BLOB.size
    assert site.store.read(BLOB) == BODY
    assert site.ranges == ranges
    assert moved in (None, site.server.bytes_sent(PATH))
    assert site.task.advanced == BLOB.size
    assert store_usage(site.store).partial == ()


def test_a_file_that_changes_between_two_attempts_is_fetched_anew(site: Site) -> None:
    site.serve(Cut(250_000), Replace(NEW, '"2"'))
    site.download()
    assert site.store.read(Blob.of(NEW)) == NEW
    assert site.ranges == ["all", rest(250_000)]


def test_a_file_that_changes_under_a_server_that_ignores_if_range_is_fetched_anew(site: Site) -> None:
    site.serve(Cut(250_000), Reply(503), IgnoreIfRange())
    file = site.server.files[PATH]
    with pytest.raises(SourceError):
        site.download(attempts=1)
    file.body, file.etag, file.faults = NEW, '"2"', [IgnoreIfRange()]
    site.download()
    assert site.store.read(Blob.of(NEW)) == NEW
    assert site.ranges == ["all", rest(250_000), "all"]


@pytest.mark.parametrize("options", [{"etag": 'W/"1"'}, {"etag": "", "last_modified": ""}], ids=["weak", "none"])
def test_without_a_strong_validator_nothing_is_continued(site: Site, options: dict[str, str]) -> None:
    site.serve(Cut(250_000), **options)
    site.download()
    assert site.store.read(BLOB) == BODY
    assert site.ranges == ["all", "all"]


def test_a_date_alone_is_enough_to_continue(site: Site) -> None:
    site.serve(Cut(250_000), etag="")
    assert site.download().last_modified == LAST_MODIFIED_S
    assert site.store.read(BLOB) == BODY
    assert site.ranges == ["all", rest(250_000)]


def test_the_rest_is_fetched_by_the_next_run(site: Site) -> None:
    site.serve(Cut(250_000))
    with pytest.raises(SourceError) as raised:
        site.download(attempts=1)
    assert raised.value.id == ErrorId.SOURCE_CUT
    assert [partial.bytes for partial in store_usage(site.store).partial] == [250_000]
    site.download()
    assert site.store.read(BLOB) == BODY
    assert site.server.bytes_sent(PATH) == BLOB.size


def test_a_whole_file_that_was_not_admitted_is_not_fetched_again(site: Site) -> None:
    site.serve()
    url = site.server.url(PATH)
    with site.store.incoming(url) as incoming:
        FileDownloader(RequestsTransport(), Mirrors(), Retry()).download([url], incoming, site.task)
    assert site.download().last_modified == LAST_MODIFIED_S
    assert site.store.read(BLOB) == BODY
    assert site.server.bytes_sent(PATH) == BLOB.size


def test_retry_after_in_seconds_and_as_a_date(site: Site) -> None:
    date = {"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    site.serve(Reply(503, {"Retry-After": "7"}), Reply(429, date))
    site.download()
    assert site.waited_s == [7.0, 30.0]


def test_redirects_are_followed_and_continued(site: Site) -> None:
    with faulty_server() as cdn:
        cdn.files["/blob"] = ServedFile(BODY, faults=[Cut(250_000)])
        site.serve(*[Reply(302, {"Location": cdn.url("/blob?sig=s3cret")})] * 2)
        site.download()
        assert [asked.headers.get("range", "all") for asked in cdn.requests_for("/blob")] == ["all", rest(250_000)]
    assert site.store.read(BLOB) == BODY
    assert "s3cret" not in "".join(site.task.notes)


@pytest.mark.parametrize(
    ("faults", "kind", "id", "requests"),
    [
        ([Reply(404)], SourceError, ErrorId.SOURCE_NOT_FOUND, 1),
        ([Reply(403)], SourceError, ErrorId.SOURCE_UNAUTHORIZED, 1),
        ([Reply(418)], SourceError, ErrorId.SOURCE_REFUSED, 1),
        ([Reply(503)] * 9, SourceError, ErrorId.SOURCE_BUSY, 3),
        ([Cut(100)] * 9, SourceError, ErrorId.SOURCE_CUT, 3),
        ([Stall()] * 9, SourceError, ErrorId.SOURCE_TIMEOUT, 3),
        ([Reply(302, {"Location": PATH})] * 99, SourceError, ErrorId.SOURCE_INVALID, 11),
        ([Announce(500_000)], IntegrityError, ErrorId.UPSTREAM_CHANGED, 1),
        ([Replace(OTHER, '"2"')], IntegrityError, ErrorId.UPSTREAM_CHANGED, 1),
        ([Reply(200, {}, b"<html>log in")], IntegrityError, ErrorId.UPSTREAM_CHANGED, 1),
    ],
    ids=["absent", "forbidden", "odd", "busy", "cut", "silent", "loop", "announces-too-little", "other", "log-in-page"],
)
def test_the_right_error_comes_when_it_cannot_be_had(
    site: Site,
    faults: list[Fault],
    kind: type[BundlerError],
    id: ErrorId,  # noqa: A002 - the field's name
    requests: int,
) -> None:
    site.serve(*faults)
    with pytest.raises(kind) as raised:
        site.download(attempts=3, size=BLOB.size)
    assert raised.value.id == id
    assert site.server.url(PATH) in str(raised.value)
    assert len(site.ranges) == requests
    assert store_usage(site.store).count == 0


def test_wrong_bytes_of_the_right_size_are_not_admitted_and_fetched_anew(site: Site) -> None:
    site.serve(Replace(NEW, '"2"'))
    with pytest.raises(IntegrityError) as raised, site.store.incoming("name") as incoming:  # noqa: PT012 - one fetch
        downloader = FileDownloader(RequestsTransport(), Mirrors(), Retry())
        downloader.download([site.server.url(PATH)], incoming, site.task, size=BLOB.size)
        incoming.commit(BLOB.digest)
    assert raised.value.id == ErrorId.DIGEST_MISMATCH
    assert store_usage(site.store).partial == ()


def test_a_damaged_entry_is_found_and_fetched_again(site: Site) -> None:
    site.serve()
    site.download()
    with site.store.path(BLOB).open("r+b") as file:
        file.write(b"damage")
    with pytest.raises(IntegrityError):
        site.store.read(BLOB)
    site.download()
    assert site.store.read(BLOB) == BODY


def test_a_mirror_that_fails_gives_way_in_the_middle_of_a_file(site: Site) -> None:
    site.serve()
    with faulty_server() as mirror:
        mirror.files["/m/keadm.tar.gz"] = ServedFile(BODY, faults=[Cut(250_000), Reply(404)])
        # only where the size is pinned: nothing else would tell that the two places have different files
        site.download(size=BLOB.size, rules=(f"{site.server.url('/')}={mirror.url('/m/')}",))
    assert site.store.read(BLOB) == BODY
    assert site.ranges == [rest(250_000)]
