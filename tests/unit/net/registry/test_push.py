"""What the push side of a registry tells and tries again, over a scripted transport."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, PublishError, SourceError
from bundler.model.digest import Blob, Digest
from bundler.model.progress import Unwatched
from bundler.net.outage import Outage
from bundler.net.registry.concurrency_limit import SUCCESSES_PER_INCREASE, AdaptiveLimit
from bundler.net.registry.credentials import NoLogins
from bundler.net.registry.endpoint import RegistryEndpoint
from bundler.net.registry.push import MAX_FAILURES, RegistryPusher
from bundler.net.registry.push_errors import publish_error
from bundler.net.retry import Retry
from tests.fakes.transport import Asked, FakeTransport, Reply, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.net.registry.credentials import Logins

BLOB = Blob.of(b"x")
ATTEMPTS = 3


def pusher(
    answer: Callable[[Asked], Reply],
    *,
    plain_http: bool = False,
    pauses_s: list[float] | None = None,
    most: int = 8,
    logins: Logins | None = None,
) -> tuple[RegistryPusher, FakeTransport, AdaptiveLimit]:
    transport, limit = FakeTransport(answer), AdaptiveLimit(most)
    waited = [] if pauses_s is None else pauses_s
    retry = Retry(attempts=ATTEMPTS, sleep=waited.append, jitter=lambda: 0.0)
    made = RegistryPusher(
        "master", transport, plain_http=plain_http, logins=logins or NoLogins(), retry=retry, limit=limit
    )
    return made, transport, limit


def failure(act: Callable[[], object]) -> PublishError:
    with pytest.raises(PublishError) as caught:
        act()
    return caught.value


def errors(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


def test_plain_http_on_an_https_port_names_the_flag() -> None:
    def answer(asked: Asked) -> Reply:
        if asked.url.startswith("https:"):
            raise SourceError(ErrorId.SOURCE_TLS, "TLS failed: wrong version number", where=asked.url, remedy="Check.")
        return Reply(200)

    error = failure(pusher(answer)[0].check)
    assert error.id == ErrorId.PUSH_SCHEME
    assert "--plain-http" in error.remedy


def test_a_host_that_is_no_registry() -> None:
    assert "no registry answers here" in str(failure(pusher(lambda _: Reply(404))[0].check))


def test_a_busy_registry_is_asked_again_after_the_pause_it_wants_and_by_fewer_at_once() -> None:
    replies = [Reply(429, {"Retry-After": "7"}), Reply(503), Reply(200)]
    pauses_s: list[float] = []
    made, _, limit = pusher(lambda _: replies.pop(0), pauses_s=pauses_s)
    assert made.has_blob("k8s/app", BLOB)
    assert pauses_s == [7.0, 0.0]
    assert limit.current == 2
    replies += [Reply(200)] * SUCCESSES_PER_INCREASE
    for _ in range(SUCCESSES_PER_INCREASE):
        made.has_blob("k8s/app", BLOB)
    assert limit.current == 3


@pytest.mark.parametrize(
    ("status", "code", "message", "want", "remedy"),
    [
        (403, "DENIED", "adding 5 MiB of storage resource, which will exceed the limit", ErrorId.PUSH_REFUSED, "quota"),
        (412, "PRECONDITION", "Failed to process, configured as immutable", ErrorId.PUSH_REFUSED, "tag rules"),
        (403, "DENIED", "requested access is denied", ErrorId.PUSH_UNAUTHORIZED, "docker login"),
        (400, "MANIFEST_INVALID", "manifest invalid", ErrorId.PUSH_REFUSED, "log"),
    ],
)
def test_refusals_keep_the_registrys_code_and_are_not_tried_again(
    status: int, code: str, message: str, want: ErrorId, remedy: str
) -> None:
    made, transport, _ = pusher(lambda _: Reply(status, body=errors(code, message)))
    error = failure(lambda: made.put_manifest("k8s/app", "1", "x/y", b"{}"))
    assert (error.id, error.status, error.code) == (want, status, code)
    assert message in str(error)
    assert remedy in error.remedy
    assert len(transport.asked) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_manifest_is_put_by_any_success(status: int) -> None:
    pusher(lambda _: Reply(status))[0].put_manifest("k8s/app", "1", "x/y", b"{}")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_blob_is_sent_by_any_success(status: int) -> None:
    made, transport, _ = pusher(lambda _: Reply(status, {"Location": "/v2/k8s/app/blobs/uploads/1"}))
    made.upload("k8s/app", BLOB, lambda offset: iter((b"x"[offset:],)), Unwatched())
    assert [asked.method for asked in transport.asked] == ["POST", "PUT"]


@pytest.mark.parametrize("fault", ["not trusted", "nobody there"])
def test_a_redirect_to_https_is_about_the_scheme_whatever_awaits_there(fault: str) -> None:
    def answer(_: Asked) -> Reply:
        # what a transport raises that has followed nginx's 308
        id_ = ErrorId.SOURCE_TLS if fault == "not trusted" else ErrorId.SOURCE_UNREACHABLE
        raise SourceError(id_, fault, where="https://master:443/v2/", remedy="Trust it.")

    error = failure(pusher(answer, plain_http=True)[0].check)
    assert (error.id, error.remedy) == (ErrorId.PUSH_SCHEME, "Leave --plain-http out.")


def test_a_token_service_that_swallows_packets_is_named_meanwhile_and_asked_once() -> None:
    told: list[str] = []
    named = threading.Event()
    asked_for_tokens: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        named.set()

    def answer(asked: Asked) -> Reply:
        if "/service/token" not in asked.url:
            return Reply(401, {"WWW-Authenticate": 'Bearer realm="https://198.51.100.9/service/token"'})
        asked_for_tokens.append(asked.url)
        assert named.wait(30), "nothing was told while nothing came"
        raise SourceError(ErrorId.SOURCE_TIMEOUT, "no connection", where=asked.url, remedy="Wait.", retryable=True)

    transport = FakeTransport(answer)
    made = RegistryPusher(
        "master", transport, plain_http=False, logins=NoLogins(), retry=Retry(), limit=AdaptiveLimit(1), announce=tell
    )
    made._auth._slowness._after_s = 0.01
    error = failure(made.check)
    assert told == ["master sends its clients to 198.51.100.9 for a token, from where nothing has come for 0.01 s"]
    assert (error.id, len(asked_for_tokens)) == (ErrorId.PUSH_UNREACHABLE, 1)


def test_harbors_answer_for_a_missing_project_is_quoted() -> None:
    realm = 'Bearer realm="https://master/service/token",service="harbor-registry"'

    def answer(asked: Asked) -> Reply:
        if "/service/token" in asked.url:
            return Reply(200, body=b'{"token": "t"}')
        if "Authorization" not in asked.headers:
            return Reply(401, {"WWW-Authenticate": realm})
        return Reply(401, {"WWW-Authenticate": ""}, errors("UNAUTHORIZED", "project k8s not found: not found"))

    error = failure(lambda: pusher(answer)[0].put_manifest("k8s/app", "1", "x/y", b"{}"))
    assert (error.id, error.code) == (ErrorId.PUSH_UNAUTHORIZED, "UNAUTHORIZED")
    assert "project k8s not found" in str(error)


def test_a_registry_that_is_gone_is_not_asked_for_every_blob() -> None:
    def answer(asked: Asked) -> Reply:
        raise unreachable(asked.url)

    made, transport, _ = pusher(answer)
    for _ in range(3):
        assert failure(lambda: made.has_blob("k8s/app", BLOB)).id == ErrorId.PUSH_UNREACHABLE
    assert len(transport.asked) == 3


def test_a_registry_that_is_busy_for_ever_is_given_up() -> None:
    made, transport, _ = pusher(lambda _: Reply(429, {"Retry-After": "120"}))
    for _ in range(MAX_FAILURES + 5):
        assert failure(lambda: made.has_blob("k8s/app", BLOB)).id == ErrorId.PUSH_UNREACHABLE
    assert len(transport.asked) == MAX_FAILURES * ATTEMPTS
    # one that gets something through in between is not
    replies = ([Reply(503)] * ATTEMPTS + [Reply(200)]) * 5
    patient, _, _ = pusher(lambda _: replies.pop(0))
    for _ in range(5):
        failure(lambda: patient.has_blob("k8s/app", BLOB))
        assert patient.has_blob("k8s/app", BLOB)


@pytest.mark.parametrize(("away_s", "is_back"), [(50.0, True), (1e9, False)])
def test_a_registry_that_is_away_is_waited_for_and_given_up_by_all_workers_together(
    away_s: float, is_back: bool
) -> None:
    now_s, lock = [0.0], threading.Lock()

    def sleep(pause_s: float) -> None:
        with lock:
            now_s[0] += pause_s

    def answer(asked: Asked) -> Reply:
        if asked.url.endswith("/v2/") or now_s[0] >= away_s:
            return Reply(200)
        return Reply(502)

    transport, outage = FakeTransport(answer), Outage(clock=lambda: now_s[0])
    retry = Retry(attempts=ATTEMPTS, sleep=sleep, jitter=lambda: 0.5, outage=outage)
    made = RegistryPusher("master", transport, plain_http=False, logins=NoLogins(), retry=retry, limit=AdaptiveLimit(4))
    made.check()

    def outcome(_: int) -> tuple[ErrorId, int | None] | bool:
        try:
            return made.has_blob("k8s/app", BLOB)
        except PublishError as error:
            return error.id, error.status

    want = True if is_back else (ErrorId.PUSH_UNREACHABLE, 502)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(outcome, range(40))) == [want] * 40
    if not is_back:
        asked = len(transport.asked)
        assert outcome(0) == want
        assert len(transport.asked) == asked, "nobody finds out once more that it is gone"


def test_a_registry_that_mounts_nothing_gets_the_blob_sent() -> None:
    for status in (202, 401, 405):
        assert pusher(lambda _, status=status: Reply(status))[0].mount("k8s/app", BLOB, "library/app") is False  # type: ignore[misc]
    assert pusher(lambda _: Reply(201))[0].mount("k8s/app", BLOB, "library/app")


def test_a_tag_whose_digest_is_not_told_is_not_taken_to_be_free() -> None:
    # the first answer was cut, and what is asked then has no body either
    replies = [Reply(200), Reply(200), Reply(200, {"Docker-Content-Digest": str(BLOB.digest)}), Reply(404)]
    made, _, _ = pusher(lambda _: replies.pop(0))
    assert made.manifest_digest("k8s/app", "1") == BLOB.digest
    assert made.manifest_digest("k8s/app", "1") is None
    silent = pusher(lambda _: Reply(200))[0]
    assert failure(lambda: silent.manifest_digest("k8s/app", "1")).id == ErrorId.PUSH_REFUSED


def test_a_line_that_is_cut_more_often_than_is_tried_brings_a_blob_where_the_registry_keeps_what_came() -> None:
    content = bytes(range(256)) * 4096 * 9
    blob, kept = Blob.of(content), 0

    def answer(asked: Asked) -> Reply:
        nonlocal kept
        if asked.method == "POST":
            return Reply(202, {"Location": "/v2/k8s/app/blobs/uploads/1"})
        if asked.method == "GET":
            return Reply(204, {"Range": f"0-{kept - 1}", "Location": "/v2/k8s/app/blobs/uploads/1"})
        if asked.method == "HEAD":
            return Reply(404)
        if kept < len(content):
            # two MiB arrive in each attempt
            kept = min(len(content), kept + 2 * 1024 * 1024)
            raise SourceError(ErrorId.SOURCE_CUT, "cut", where=asked.url, remedy="Again.", retryable=True)
        return Reply(201) if asked.method == "PUT" else Reply(202, {"Location": "/v2/k8s/app/blobs/uploads/1"})

    pauses_s: list[float] = []
    made, _, _ = pusher(answer, pauses_s=pauses_s)
    made.upload("k8s/app", blob, lambda offset: iter((content[offset:],)), Unwatched())
    assert len(pauses_s) == 5 > ATTEMPTS
    assert kept == len(content)


def test_a_blob_whose_answer_was_lost_is_looked_for_before_it_is_sent_again() -> None:
    replies = [
        Reply(202, {"Location": "/v2/k8s/app/blobs/uploads/1"}),
        None,
        Reply(200, {"Docker-Content-Digest": str(BLOB.digest)}),
    ]

    def answer(asked: Asked) -> Reply:
        for _ in asked.body if asked.body and not isinstance(asked.body, bytes) else ():
            pass
        reply = replies.pop(0)
        if reply is None:
            raise SourceError(ErrorId.SOURCE_CUT, "cut", where=asked.url, remedy="Again.", retryable=True)
        return reply

    made, transport, _ = pusher(answer)
    made.upload("k8s/app", BLOB, lambda offset: iter((b"x"[offset:],)), Unwatched())
    assert [asked.method for asked in transport.asked] == ["POST", "PUT", "HEAD"]


@pytest.mark.parametrize("status", [200, 404])
def test_a_registry_that_tells_no_digest_is_asked_for_the_bytes(status: int) -> None:
    replies = [Reply(200), Reply(status, body=b"{}")]
    made, transport, _ = pusher(lambda _: replies.pop(0))
    assert made.manifest_digest("k8s/app", "1") == (Digest.sha256(b"{}") if status == 200 else None)
    assert [asked.method for asked in transport.asked] == ["HEAD", "GET"]


def test_a_blob_that_was_not_taken_over_is_sent_into_the_upload_that_began_instead() -> None:
    replies = [Reply(202, {"Location": "/v2/k8s/app/blobs/uploads/7"}), Reply(201)]
    made, transport, _ = pusher(lambda _: replies.pop(0))
    assert not made.mount("k8s/app", BLOB, "library/app")
    made.upload("k8s/app", BLOB, lambda offset: iter((b"x"[offset:],)), Unwatched())
    assert [asked.method for asked in transport.asked] == ["POST", "PUT"]
    assert "/uploads/7?digest=" in transport.asked[-1].url


def test_the_words_of_a_refusal_are_asked_for_where_a_head_has_none() -> None:
    def answer(asked: Asked) -> Reply:
        return Reply(403, body=b"" if asked.method == "HEAD" else errors("DENIED", "frozen by the auditor"))

    made, transport, _ = pusher(answer)
    error = failure(lambda: made.manifest_digest("k8s/app", "1"))
    assert (error.id, error.status, error.code) == (ErrorId.PUSH_UNAUTHORIZED, 403, "DENIED")
    assert "frozen by the auditor" in str(error)
    assert [asked.method for asked in transport.asked] == ["HEAD", "GET"]


def test_the_name_of_an_image_is_not_taken_for_the_registrys_words() -> None:
    for name in ("x/quota-controller", "k8s/immutable-app", "exceed/app"):
        made = pusher(lambda _: Reply(403, body=errors("DENIED", "no")))[0]
        error = failure(lambda made=made, name=name: made.put_manifest(name, "1", "x/y", b"{}"))  # type: ignore[misc]
        assert error.id == ErrorId.PUSH_UNAUTHORIZED


def test_the_name_of_an_account_is_not_taken_for_the_registrys_words() -> None:
    words = "master refuses the credentials of 'quota-robot' found in config.json (DENIED: no)"
    refused = SourceError(ErrorId.SOURCE_UNAUTHORIZED, words, remedy="-", status=403, code="DENIED", quote="DENIED: no")
    error = publish_error(refused, RegistryEndpoint("master", "https://master", insecure=False))
    assert (error.id, error.status, error.code, str(error)) == (ErrorId.PUSH_UNAUTHORIZED, 403, "DENIED", words)


def test_a_proxys_limit_of_bodies_is_named() -> None:
    endpoint = RegistryEndpoint("master", "https://master", insecure=False)
    refused = SourceError(ErrorId.SOURCE_REFUSED, "the server answered 413", where="u", remedy="-", status=413)
    assert "client_max_body_size" in publish_error(refused, endpoint).remedy
    own = SourceError(
        ErrorId.SOURCE_REFUSED, "no", where="u", remedy="-", status=413, code="DENIED", quote="DENIED: quota exceeded"
    )
    assert "quota" in publish_error(own, endpoint).remedy


def test_docker_hub_is_asked_where_it_answers() -> None:
    transport = FakeTransport(lambda _: Reply(200))
    RegistryPusher(
        "docker.io", transport, plain_http=False, logins=NoLogins(), retry=Retry(attempts=1), limit=AdaptiveLimit(1)
    ).check()
    assert [asked.url for asked in transport.asked] == ["https://registry-1.docker.io/v2/"]


@pytest.mark.parametrize("fault", ["redirected", "cut"])
def test_https_where_plain_http_was_asked_for_names_the_flag(fault: str) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.url.startswith("https:"):
            return Reply(401)
        if fault == "redirected":
            return Reply(401, url="https://master/v2/")
        raise SourceError(ErrorId.SOURCE_CUT, "cut", where=asked.url, remedy="Again.", retryable=True)

    error = failure(pusher(answer, plain_http=True)[0].check)
    assert (error.id, error.remedy) == (ErrorId.PUSH_SCHEME, "Leave --plain-http out.")


def test_credentials_that_cannot_be_read_are_told_as_such() -> None:
    def answer(_: Asked) -> Reply:
        raise SourceError(ErrorId.CREDENTIALS_UNREADABLE, "is not JSON", where="config.json", remedy="Mend the file.")

    error = failure(lambda: pusher(answer)[0].has_blob("k8s/app", BLOB))
    assert (error.id, error.remedy, error.where) == (ErrorId.CREDENTIALS_UNREADABLE, "Mend the file.", "config.json")
