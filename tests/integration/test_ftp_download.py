"""FTP: a real vsftpd gives the right bytes; a server that misbehaves ends with the right bytes or the right error."""

from __future__ import annotations

import os
import random
import socket
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.model.digest import Blob
from bundler.net.files.download import FileDownloader
from bundler.net.files.ftp import FtpDownloader
from bundler.net.http.transport import RequestsTransport
from bundler.net.interface import Credentials, Received
from bundler.net.mirrors import Mirrors
from bundler.net.retry import Retry
from bundler.store.blobs import Store
from tests.fakes.ftp_server import PASSWORD, USER, FaultyFtp, faulty_ftp
from tests.fakes.progress import RecordingTask
from tests.integration.vsftpd import vsftpd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.integration
BODY = random.Random(7).randbytes(600_000)
BLOB = Blob.of(BODY)
NAME = "a b+c.rpm"
QUOTED = "pool/a%20b+c.rpm"
DATE_S = 1_445_412_480
IDLE_TIMEOUT_S = 0.5


@pytest.fixture
def root(tmp_path: Path) -> Path:
    pool = tmp_path / "root" / "pool"
    pool.mkdir(parents=True)
    (pool / NAME).write_bytes(BODY)
    os.utime(pool / NAME, (DATE_S, DATE_S))
    return pool.parent


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def server(root: Path) -> Iterator[FaultyFtp]:
    with faulty_ftp(root) as running:
        yield running


def downloader(*rules: str, attempts: int = 3, login: Credentials | None = None) -> FileDownloader:
    retry = Retry(attempts, sleep=lambda _: None)
    return FileDownloader(
        RequestsTransport(), Mirrors.parse(rules), retry, lambda _: login, ftp=FtpDownloader(IDLE_TIMEOUT_S)
    )


def fetch(url: str, store: Store, *, attempts: int = 3, size: int | None = None) -> tuple[Received, RecordingTask]:
    task = RecordingTask()
    with store.in_use(), store.incoming(url) as incoming:
        received = downloader(attempts=attempts).download([url], incoming, task, size=size)
        incoming.commit()
    return received, task


def test_vsftpd_gives_a_file_its_size_and_its_date(root: Path, store: Store, tmp_path: Path) -> None:
    with vsftpd(root, tmp_path) as ftp:
        received, task = fetch(f"{ftp}/{QUOTED}", store, size=BLOB.size)
        assert downloader().size([f"{ftp}/{QUOTED}"]) == BLOB.size
        assert downloader().read(f"{ftp}/{QUOTED}", max_bytes=BLOB.size).data == BODY
    assert received == Received(BLOB.size, DATE_S, "")
    assert (store.read(BLOB), task.advanced, task.notes) == (BODY, BLOB.size, [])


def test_vsftpd_is_asked_only_for_what_is_missing(root: Path, store: Store, tmp_path: Path) -> None:
    # the bytes held are wrong on purpose: they show that the rest was appended to them
    with vsftpd(root, tmp_path) as ftp, store.incoming("name") as incoming:
        task = RecordingTask()
        incoming.restart(f'"ftp-{DATE_S}-{BLOB.size}" another-place')
        incoming.write(b"x" * 250_000)
        downloader().download([f"{ftp}/{QUOTED}"], incoming, task, size=BLOB.size)
        with incoming.open() as file:
            assert Blob.of(file.read()) == Blob.of(b"x" * 250_000 + BODY[250_000:])


@pytest.mark.parametrize("path", ["pool/absent.rpm", "pool"])
def test_vsftpd_says_that_a_file_does_not_exist(root: Path, store: Store, tmp_path: Path, path: str) -> None:
    with vsftpd(root, tmp_path) as ftp:
        with pytest.raises(SourceError) as raised:
            fetch(f"{ftp}/{path}", store)
        with pytest.raises(SourceError) as asked:
            downloader().size([f"{ftp}/absent.rpm"])
    assert raised.value.id == asked.value.id == ErrorId.SOURCE_NOT_FOUND
    assert f"{ftp}/{path}" in str(raised.value)


@pytest.mark.parametrize(
    ("cuts", "sent"),
    [([250_000], [250_000, 350_000]), ([1, 299_999], [1, 299_999, 300_000]), ([], [600_000])],
    ids=["cut", "cut-twice", "whole"],
)
def test_a_cut_transfer_goes_on_where_it_stopped(
    server: FaultyFtp, store: Store, cuts: list[int], sent: list[int]
) -> None:
    server.cuts = cuts
    received, task = fetch(server.url(QUOTED), store)
    assert (received.size, store.read(BLOB)) == (BLOB.size, BODY)
    assert (server.sent, task.advanced) == (sent, BLOB.size)


def test_the_rest_is_fetched_by_the_next_run(server: FaultyFtp, store: Store) -> None:
    server.cuts = [250_000]
    with pytest.raises(SourceError) as raised:
        fetch(server.url(QUOTED), store, attempts=1)
    assert raised.value.id == ErrorId.SOURCE_CUT
    fetch(server.url(QUOTED), store)
    assert (store.read(BLOB), server.sent) == (BODY, [250_000, 350_000])


def test_a_file_that_changes_between_two_attempts_is_fetched_anew(root: Path, server: FaultyFtp, store: Store) -> None:
    server.cuts = [250_000]
    with pytest.raises(SourceError):
        fetch(server.url(QUOTED), store, attempts=1)
    changed = BODY[::-1]
    (root / "pool" / NAME).write_bytes(changed)
    fetch(server.url(QUOTED), store)
    assert store.read(Blob.of(changed)) == changed
    assert server.sent == [250_000, 600_000]


@pytest.mark.parametrize("without", ["MDTM", "SIZE", "REST"])
def test_where_the_server_cannot_say_that_it_is_the_same_file_nothing_is_continued(
    root: Path, store: Store, without: str
) -> None:
    with faulty_ftp(root, without=(without,)) as server:
        server.cuts = [250_000]
        # without SIZE the cut shows in the reply that never comes
        fetch(server.url(QUOTED), store)
        assert server.sent == [250_000, 600_000]
    assert store.read(BLOB) == BODY


def test_a_server_without_epsv_is_asked_for_pasv(root: Path, store: Store) -> None:
    with faulty_ftp(root, without=("EPSV",)) as server:
        fetch(server.url(QUOTED), store)
        assert server.commands("PASV") == ["PASV"]
    assert store.read(BLOB) == BODY


def test_a_server_that_knows_epsv_is_not_asked_for_pasv(server: FaultyFtp, store: Store) -> None:
    fetch(server.url(QUOTED), store)
    assert (server.commands("PASV"), server.commands("EPSV")) == ([], ["EPSV"])


def test_a_busy_server_is_asked_again(server: FaultyFtp, store: Store) -> None:
    server.refusals = ["421 too many users", "450 busy", ""]
    _, task = fetch(server.url(QUOTED), store, attempts=4)
    assert store.read(BLOB) == BODY
    assert [note.partition(";")[0].rpartition(": ")[2] for note in task.notes] == [
        "the server answered 421 too many users",
        "the server answered 450 busy",
        "the server was silent for 0.5 s",
    ]


@pytest.mark.parametrize(
    ("refusals", "expected"),
    [
        (["421 full"] * 3, ErrorId.SOURCE_BUSY),
        (["426 closed"] * 3, ErrorId.SOURCE_CUT),
        ([""] * 3, ErrorId.SOURCE_TIMEOUT),
        (["553 no"], ErrorId.SOURCE_REFUSED),
        (["530 no"], ErrorId.SOURCE_UNAUTHORIZED),
        (["HTTP/1.1 400 Bad Request"], ErrorId.SOURCE_INVALID),
    ],
)
def test_the_right_error_comes_when_it_cannot_be_had(
    server: FaultyFtp, store: Store, refusals: list[str], expected: ErrorId
) -> None:
    server.refusals = list(refusals)
    with pytest.raises(SourceError) as raised:
        fetch(server.url(QUOTED), store)
    assert raised.value.id == expected
    assert server.url(QUOTED) in str(raised.value)
    assert len(server.commands("RETR")) == len(refusals)


def test_a_changed_size_is_refused_before_a_byte_moves(server: FaultyFtp, store: Store) -> None:
    with pytest.raises(IntegrityError) as raised:
        fetch(server.url(QUOTED), store, size=5)
    assert (raised.value.id, raised.value.got, server.sent) == (ErrorId.UPSTREAM_CHANGED, "600000 bytes", [])


def test_a_document_may_not_be_longer_than_allowed(root: Path) -> None:
    for without in ((), ("SIZE",)):
        with faulty_ftp(root, without=without) as server, pytest.raises(SourceError, match="longer than 1000 bytes"):
            downloader().read(server.url(QUOTED), max_bytes=1000)


def test_credentials_log_in_where_anonymous_users_may_not(root: Path) -> None:
    login = Credentials(USER, PASSWORD)
    with faulty_ftp(root, anonymous=False) as server:
        assert downloader(login=login).read(server.url(QUOTED), max_bytes=BLOB.size).data == BODY
        with pytest.raises(SourceError) as raised:
            downloader().read(server.url(QUOTED), max_bytes=BLOB.size)
    assert raised.value.id == ErrorId.SOURCE_UNAUTHORIZED
    assert "netrc" in raised.value.text()


def test_a_mirror_stands_in_for_an_ftp_server(server: FaultyFtp) -> None:
    document = downloader(f"ftp://dead.example/={server.url('')}").read(
        f"ftp://dead.example/{QUOTED}", max_bytes=BLOB.size
    )
    assert (document.data, document.via) == (BODY, server.url(""))


def test_a_port_where_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(SourceError) as raised:
        downloader(attempts=1).read(f"ftp://127.0.0.1:{port}/a", max_bytes=10)
    assert raised.value.id == ErrorId.SOURCE_UNREACHABLE
    assert raised.value.retryable


@pytest.mark.parametrize("url", ["ftp://h.example/a%0d%0aDELE%20b", "ftp://h.example/", "ftp:///a", "ftp://h..e/a"])
def test_urls_that_cannot_be_asked_for(url: str) -> None:
    with pytest.raises(SourceError) as raised:
        downloader().read(url, max_bytes=10)
    assert raised.value.id == ErrorId.SOURCE_INVALID
