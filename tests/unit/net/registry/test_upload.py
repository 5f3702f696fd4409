"""One blob into a repository over a scripted transport: what goes on after a cut, and where it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.model.digest import Blob
from bundler.model.progress import Unwatched
from bundler.net.registry.endpoint import RegistryEndpoint, RemoteRepository
from bundler.net.registry.upload import Upload, resolved
from tests.fakes.transport import Asked, Reply, ScriptedTransport, cut_error

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = b"0123456789"
BLOB = Blob.of(CONTENT)
REPOSITORY = RemoteRepository(RegistryEndpoint("master", "https://master", insecure=False), "k8s/app", "master/k8s/app")
SESSION = "/v2/k8s/app/blobs/uploads/1?_state=s"
BEGUN = Reply(202, {"Location": SESSION})


def pieces(offset: int) -> Iterator[bytes]:
    yield from (CONTENT[offset:][start : start + 3] for start in range(0, len(CONTENT) - offset, 3))


def sent(asked: Asked) -> bytes:
    return b"".join(bytes(piece) for piece in asked.body or ()) if not isinstance(asked.body, bytes) else asked.body


def upload(*replies: Reply | SourceError, attempts: int = 1) -> list[Asked]:
    transport = ScriptedTransport(*replies)
    one = Upload(transport, REPOSITORY, BLOB, pieces, Unwatched())
    for _ in range(attempts - 1):
        with pytest.raises(SourceError):
            one.attempt()
    one.attempt()
    transport.assert_done()
    return transport.asked


def test_an_answer_whose_head_is_cut_is_asked_for_again() -> None:
    with pytest.raises(SourceError) as caught:
        upload(Reply(202))
    assert caught.value.retryable


def test_at_once() -> None:
    begin, put = upload(BEGUN, Reply(201))
    assert (begin.method, begin.url) == ("POST", "https://master/v2/k8s/app/blobs/uploads/")
    digest = f"sha256%3A{BLOB.digest.hex}"
    assert (put.method, put.url) == ("PUT", f"https://master{SESSION}&digest={digest}")
    assert sent(put) == CONTENT


def test_after_a_cut_the_rest_alone_where_the_registry_has_kept_what_came() -> None:
    kept = Reply(204, {"Range": "0-3", "Location": SESSION + "2"})
    asked = upload(BEGUN, cut_error(), kept, Reply(202, {"Location": SESSION + "3"}), Reply(201), attempts=2)
    patch, put = asked[-2:]
    assert (patch.method, patch.url) == ("PATCH", f"https://master{SESSION}2")
    assert patch.headers["Content-Range"] == "4-9"
    assert sent(patch) == CONTENT[4:]
    assert put.url.startswith(f"https://master{SESSION}3&digest=")
    assert sent(put) == b""


@pytest.mark.parametrize(
    "status", [Reply(404), Reply(204, {"Range": "0-0"}), Reply(204), Reply(204, {"Range": "0-99"})], ids=repr
)
def test_after_a_cut_everything_where_it_has_not(status: Reply) -> None:
    asked = upload(BEGUN, cut_error(), status, BEGUN, Reply(201), attempts=2)
    assert [one.method for one in asked] == ["POST", "PUT", "GET", "POST", "PUT"]
    assert sent(asked[-1]) == CONTENT


@pytest.mark.parametrize("location", ["http://master:80/v2/up?a=b", "/v2/up?a=b", "https://master/v2/up?a=b"])
def test_a_registry_behind_a_proxy_keeps_the_scheme_that_is_in_use(location: str) -> None:
    assert resolved(REPOSITORY, "https://master/v2/x", location) == "https://master/v2/up?a=b"


def test_blobs_and_credentials_go_to_no_other_host() -> None:
    with pytest.raises(SourceError, match=r"elsewhere\.example"):
        resolved(REPOSITORY, "https://master/v2/x", "https://elsewhere.example/v2/up")


@pytest.mark.parametrize("location", ["http://[::1/v2/up", "//["])
def test_a_location_that_is_no_url_is_told(location: str) -> None:
    with pytest.raises(SourceError, match="no URL"):
        resolved(REPOSITORY, "https://master/v2/x", location)


@pytest.mark.parametrize("state", ["a=AbC%FFz%3D", "flag", "x=1;y=2", "t=a%20b+c", ""])
def test_what_a_registry_keeps_in_its_location_is_sent_back_as_it_is(state: str) -> None:
    location = "/v2/k8s/app/blobs/uploads/1" + (f"?{state}" if state else "")
    _, put = upload(Reply(202, {"Location": location}), Reply(201))
    digest = f"digest=sha256%3A{BLOB.digest.hex}"
    assert put.url == f"https://master{location}" + ("&" if state else "?") + digest


@pytest.mark.parametrize("status", [400, 404, 405, 416, 501])
def test_a_session_that_cannot_be_asked_for_is_begun_anew(status: int) -> None:
    asked = upload(BEGUN, cut_error(), Reply(status), BEGUN, Reply(201), attempts=2)
    assert [one.method for one in asked] == ["POST", "PUT", "GET", "POST", "PUT"]


@pytest.mark.parametrize("status", [404, 416])
def test_a_session_that_is_lost_while_it_is_sent_is_begun_anew(status: int) -> None:
    gone = SourceError(ErrorId.SOURCE_NOT_FOUND, "gone", where="w", remedy="r", status=status)
    asked = upload(BEGUN, gone, BEGUN, Reply(201), attempts=2)
    assert [one.method for one in asked] == ["POST", "PUT", "POST", "PUT"]


def test_a_resumed_upload_whose_bytes_are_wrong_is_begun_anew() -> None:
    kept = Reply(204, {"Range": "0-3", "Location": SESSION})
    wrong = SourceError(ErrorId.SOURCE_REFUSED, "wrong", where="w", remedy="r", status=400, code="DIGEST_INVALID")
    asked = upload(BEGUN, cut_error(), kept, Reply(202, {"Location": SESSION}), wrong, BEGUN, Reply(201), attempts=3)
    assert [one.method for one in asked] == ["POST", "PUT", "GET", "PATCH", "PUT", "POST", "PUT"]


def test_bytes_that_are_wrong_from_the_first_are_not_sent_again() -> None:
    wrong = SourceError(ErrorId.SOURCE_REFUSED, "wrong", where="w", remedy="r", status=400, code="DIGEST_INVALID")
    with pytest.raises(SourceError) as caught:
        upload(BEGUN, wrong)
    assert not caught.value.retryable


def test_an_upload_that_has_begun_elsewhere_goes_on_there() -> None:
    transport = ScriptedTransport(Reply(201))
    Upload(transport, REPOSITORY, BLOB, pieces, Unwatched(), started_at=f"https://master{SESSION}").attempt()
    (put,) = transport.asked
    assert put.url.startswith(f"https://master{SESSION}&digest=")
