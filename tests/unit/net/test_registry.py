"""The pull side of a registry over a scripted transport; real registries follow in tests/integration."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId, IntegrityError, SourceError
from bundler.model.digest import Blob, Digest
from bundler.model.oci import DOCKER_INDEX, MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST
from bundler.model.reference import Reference
from bundler.net.login import Login
from bundler.net.mirrors import Mirrors
from bundler.net.registry import RegistryClient
from bundler.net.retry import Retry
from tests.fakes.progress import RecordingTask
from tests.fakes.store import MemoryStore
from tests.fakes.transport import Asked, FakeTransport, Reply, unreachable

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE = Reference("quay.io", "a/b", "1")
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{'0' * 64}", "size": 2}
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": CONFIG, "layers": []}).encode()
INDEX = json.dumps({"schemaVersion": 2, "manifests": []}).encode()
SCHEMA_1 = json.dumps({"schemaVersion": 1, "name": "a/b", "fsLayers": []}).encode()
TYPED = {"Content-Type": OCI_MANIFEST}
CONTENT = b"0123456789" * 10


@dataclass
class Upstream:
    """Answers by the URL without scheme; several replies for one URL are given in turn, the last one for ever."""

    replies: dict[str, list[Reply]] = field(default_factory=dict)
    pauses_s: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.transport = FakeTransport(self.answer)

    def answer(self, asked: Asked) -> Reply:
        name = asked.url.partition("://")[2]
        if name not in self.replies:
            raise unreachable(asked.url)
        replies = self.replies[name]
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def client(
        self, *mirrors: str, only: bool = False, attempts: int = 3, login: Login | None = None
    ) -> RegistryClient:
        return RegistryClient(
            self.transport,
            mirrors=Mirrors.parse(mirrors, only=only),
            retry=Retry(attempts=attempts, sleep=self.pauses_s.append, jitter=lambda: 0.0),
            logins=OneLogin(login),
        )


@dataclass
class OneLogin:
    """A login for quay.io alone."""

    known: Login | None
    looked_in: str = "config.json"

    def login(self, host: str, path: str) -> Login | None:  # noqa: ARG002 - the Protocol's
        return self.known if host == "quay.io" else None


def answering(*replies: Reply, place: str = "quay.io/v2/a/b/manifests/1") -> Upstream:
    return Upstream({place: list(replies)})


def failure(client: RegistryClient, reference: Reference = REFERENCE) -> BundlerError:
    with pytest.raises(BundlerError) as caught:
        client.manifest(reference)
    return caught.value


def refusal(status: int, code: str, message: str) -> Reply:
    return Reply(status, body=json.dumps({"errors": [{"code": code, "message": message, "detail": {"x": 1}}]}).encode())


def by_digest(digest: Digest) -> Reference:
    return Reference("quay.io", "a/b", digest=digest)


@pytest.mark.parametrize(
    ("body", "content_type", "media_type"),
    [
        (MANIFEST, OCI_MANIFEST, OCI_MANIFEST),
        (MANIFEST, f"{OCI_MANIFEST}; charset=utf-8", OCI_MANIFEST),
        (MANIFEST, "", OCI_MANIFEST),
        (MANIFEST, "application/json", OCI_MANIFEST),
        (INDEX, DOCKER_INDEX, DOCKER_INDEX),
        (INDEX, "text/plain", OCI_INDEX),
    ],
)
def test_a_manifest_and_its_kind(body: bytes, content_type: str, media_type: str) -> None:
    upstream = answering(Reply(body=body, headers={"Content-Type": content_type} if content_type else {}))
    found = upstream.client().manifest(REFERENCE)
    assert (found.data, found.media_type, found.digest, found.via) == (body, media_type, Digest.sha256(body), "")
    (asked,) = upstream.transport.asked
    assert asked.url == "https://quay.io/v2/a/b/manifests/1"
    accepted = asked.headers["Accept"].split(", ")
    assert {OCI_INDEX, OCI_MANIFEST, DOCKER_INDEX} < set(accepted)


def test_docker_hub_is_asked_where_it_answers() -> None:
    upstream = answering(Reply(body=MANIFEST, headers=TYPED), place="registry-1.docker.io/v2/library/x/manifests/1")
    assert upstream.client().manifest(Reference.parse("x:1")).data == MANIFEST


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_manifest_by_digest(algorithm: str) -> None:
    digest = Digest(algorithm, hashlib.new(algorithm, MANIFEST).hexdigest())
    reply = Reply(body=MANIFEST, headers=TYPED)
    upstream = answering(reply, place=f"quay.io/v2/a/b/manifests/{digest}")
    # the digest goes before the tag
    found = upstream.client().manifest(Reference("quay.io", "a/b", "1", digest))
    assert found.digest == Digest.sha256(MANIFEST)
    wrong = Digest(algorithm, hashlib.new(algorithm, b"x").hexdigest())
    error = failure(answering(reply, place=f"quay.io/v2/a/b/manifests/{wrong}").client(), by_digest(wrong))
    assert isinstance(error, IntegrityError)
    assert (error.id, error.want, error.got) == (ErrorId.DIGEST_MISMATCH, str(wrong), str(digest))
    assert error.where == f"quay.io/a/b@{wrong}"


def test_a_tags_bytes_are_what_the_registry_says_they_are() -> None:
    promised = str(Digest.sha256(b"other"))
    reply = Reply(body=MANIFEST, headers={**TYPED, "Docker-Content-Digest": promised})
    error = failure(answering(reply).client())
    assert isinstance(error, IntegrityError)
    assert error.want == promised
    right = {**TYPED, "Docker-Content-Digest": str(Digest.sha256(MANIFEST))}
    assert answering(Reply(body=MANIFEST, headers=right)).client().manifest(REFERENCE).data == MANIFEST


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"},
        # its digest is that of the part that is signed
        {"Content-Type": "application/json", "Docker-Content-Digest": str(Digest.sha256(b"payload"))},
        {},
    ],
)
def test_schema_1_is_named(headers: dict[str, str]) -> None:
    error = failure(answering(Reply(body=SCHEMA_1, headers=headers)).client())
    assert (error.id, error.where) == (ErrorId.IMAGE_SCHEMA_UNSUPPORTED, "quay.io/a/b:1")
    assert "schema 1" in error.what


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html>log in to the network</html>", "text/html"),
        (MANIFEST, "text/html"),
        (b"not json", OCI_MANIFEST),
        (b"[]", OCI_MANIFEST),
        (b"{}", OCI_MANIFEST),
        (INDEX, OCI_MANIFEST),
    ],
)
def test_what_is_no_manifest(body: bytes, content_type: str) -> None:
    error = failure(answering(Reply(body=body, headers={"Content-Type": content_type})).client())
    assert (error.id, error.where) == (ErrorId.SOURCE_INVALID, "quay.io/a/b:1")


def test_damaged_bytes_are_a_wrong_digest_even_where_they_are_no_json() -> None:
    digest = Digest.sha256(MANIFEST)
    upstream = answering(Reply(body=MANIFEST[:-5], headers=TYPED), place=f"quay.io/v2/a/b/manifests/{digest}")
    assert failure(upstream.client(), by_digest(digest)).id == ErrorId.DIGEST_MISMATCH


def test_a_manifest_is_bounded() -> None:
    error = failure(answering(Reply(body=b" " * (MAX_MANIFEST_BYTES + 1), headers=TYPED)).client())
    assert error.id == ErrorId.SOURCE_INVALID


def test_a_refusal_is_quoted() -> None:
    reply = refusal(404, "MANIFEST_UNKNOWN", "manifest unknown\x1b[2J")
    error = failure(answering(reply).client())
    assert (error.id, error.where) == (ErrorId.SOURCE_NOT_FOUND, "quay.io/a/b:1")
    assert "no such image (MANIFEST_UNKNOWN: manifest unknown" in error.what
    assert "\x1b" not in error.text()


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"errors": 7}', b'{"errors": [7]}', b"\xff", b"x" * 10**6])
def test_a_refusal_without_words(body: bytes) -> None:
    error = failure(answering(Reply(404, body=body)).client())
    assert error.id == ErrorId.SOURCE_NOT_FOUND
    assert "that quay.io is a registry" in error.remedy


def test_a_denial_says_whether_credentials_were_there() -> None:
    reply = refusal(403, "DENIED", "requested access to the resource is denied")
    error = failure(answering(reply).client())
    assert error.id == ErrorId.SOURCE_UNAUTHORIZED
    assert "DENIED: requested access" in error.what
    assert "none for it were found in config.json" in error.what
    error = failure(answering(reply).client(login=Login("user", "s3cret", "config.json")))
    assert "refuses the credentials of 'user' found in config.json" in error.what


def test_a_challenge_is_answered_once() -> None:
    challenge = Reply(401, headers={"WWW-Authenticate": 'Basic realm="x"'})
    upstream = answering(challenge, Reply(body=MANIFEST, headers=TYPED))
    assert upstream.client(login=Login("user", "s3cret", "config.json")).manifest(REFERENCE).data == MANIFEST
    assert [asked.headers.get("Authorization") for asked in upstream.transport.asked] == [
        None,
        "Basic dXNlcjpzM2NyZXQ=",
    ]
    forever = answering(challenge)
    assert failure(forever.client(login=Login("user", "s3cret", "config.json"))).id == ErrorId.SOURCE_UNAUTHORIZED
    assert len(forever.transport.asked) == 2


def test_storage_behind_the_registry_gets_no_answer_to_its_challenge() -> None:
    elsewhere = Reply(401, headers={"WWW-Authenticate": 'Basic realm="x"'}, url="https://storage.example/x")
    upstream = answering(elsewhere)
    error = failure(upstream.client(login=Login("user", "s3cret", "config.json")))
    assert (error.id, error.where) == (ErrorId.SOURCE_UNAUTHORIZED, "https://storage.example/x")
    assert len(upstream.transport.asked) == 1


def test_a_busy_registry_is_asked_again_when_it_says() -> None:
    busy = Reply(429, headers={"Retry-After": "7"})
    upstream = answering(busy, Reply(503), Reply(body=MANIFEST, headers=TYPED))
    assert upstream.client().manifest(REFERENCE).data == MANIFEST
    assert upstream.pauses_s == [7.0, 0.0]
    error = failure(answering(refusal(429, "TOOMANYREQUESTS", "You have reached your pull rate limit")).client())
    assert isinstance(error, SourceError)
    assert (error.id, error.retryable) == (ErrorId.SOURCE_BUSY, True)
    assert "TOOMANYREQUESTS: You have reached your pull rate limit" in error.what


def test_what_will_not_change_is_not_asked_again() -> None:
    upstream = answering(Reply(404))
    failure(upstream.client())
    assert len(upstream.transport.asked) == 1


def test_mirrors_go_first_and_are_named() -> None:
    upstream = answering(Reply(body=MANIFEST, headers=TYPED), place="mirror.example/v2/q/a/b/manifests/1")
    assert upstream.client("quay.io=mirror.example/q").manifest(REFERENCE).via == "mirror.example/q"


@pytest.mark.parametrize(
    "reply", [Reply(404), Reply(401), Reply(body=b"<html>"), Reply(body=INDEX, headers=TYPED), None]
)
def test_a_mirror_that_fails_gives_way_to_the_original(reply: Reply | None) -> None:
    upstream = answering(Reply(body=MANIFEST, headers=TYPED))
    if reply:
        upstream.replies["mirror.example/v2/a/b/manifests/1"] = [reply]
    assert upstream.client("quay.io=mirror.example").manifest(REFERENCE).via == ""


def test_with_mirrors_only_the_original_is_not_asked() -> None:
    upstream = answering(Reply(body=MANIFEST, headers=TYPED))
    upstream.replies["mirror.example/v2/a/b/manifests/1"] = [Reply(404)]
    error = failure(upstream.client("quay.io=mirror.example", only=True))
    assert (error.id, error.where) == (ErrorId.SOURCE_NOT_FOUND, "quay.io/a/b:1 (through mirror.example)")
    assert len(upstream.transport.asked) == 1


def test_credentials_of_the_original_stay_there() -> None:
    challenge = Reply(401, headers={"WWW-Authenticate": 'Basic realm="x"'})
    upstream = Upstream({"mirror.example/v2/a/b/manifests/1": [challenge]})
    client = upstream.client("quay.io=mirror.example", only=True, login=Login("user", "s3cret", "config.json"))
    assert failure(client).id == ErrorId.SOURCE_UNAUTHORIZED
    assert [asked.headers.get("Authorization") for asked in upstream.transport.asked] == [None]


def test_the_originals_error_counts() -> None:
    upstream = answering(Reply(404))
    assert failure(upstream.client("quay.io=mirror.example")).id == ErrorId.SOURCE_NOT_FOUND


BLOB = Blob.of(CONTENT)
PLACES = (Reference("quay.io", "a/b", "1"), Reference("gcr.io", "c", "1"))


def bring(client: RegistryClient, directory: Path, held: bytes = b"") -> tuple[str, bytes, RecordingTask]:
    task = RecordingTask()
    with MemoryStore(directory).incoming("x") as incoming:
        incoming.restart("")
        incoming.write(held)
        via = client.blob(PLACES, BLOB, incoming, task)
        with incoming.open() as stream:
            return via, stream.read(), task


def blob_upstream(quay: Reply | None, gcr: Reply | None) -> Upstream:
    upstream = Upstream()
    for host_path, reply in (("quay.io/v2/a/b", quay), ("gcr.io/v2/c", gcr)):
        if reply:
            upstream.replies[f"{host_path}/blobs/{BLOB.digest}"] = [reply]
    return upstream


def test_a_blob_comes_from_the_first_repository(tmp_path: Path) -> None:
    upstream = blob_upstream(Reply(body=CONTENT), None)
    assert bring(upstream.client(), tmp_path)[:2] == ("", CONTENT)
    assert len(upstream.transport.asked) == 1


@pytest.mark.parametrize("first", [Reply(404), Reply(401), Reply(503), Reply(body=CONTENT + b"more"), None])
def test_a_blob_comes_from_the_next_repository(tmp_path: Path, first: Reply | None) -> None:
    via, data, task = bring(blob_upstream(first, Reply(body=CONTENT)).client(), tmp_path)
    assert (via, data, task.advanced) == ("", CONTENT, len(CONTENT))


@pytest.mark.parametrize(
    ("quay", "gcr", "told"),
    [
        (Reply(404), Reply(404), ErrorId.SOURCE_NOT_FOUND),
        (Reply(503), Reply(404), ErrorId.SOURCE_BUSY),
        (Reply(404), Reply(503), ErrorId.SOURCE_BUSY),
        (Reply(503), None, ErrorId.SOURCE_UNREACHABLE),
    ],
)
def test_when_no_repository_has_it_the_telling_error_counts(
    tmp_path: Path, quay: Reply, gcr: Reply | None, told: ErrorId
) -> None:
    with pytest.raises(SourceError) as caught:
        bring(blob_upstream(quay, gcr).client(), tmp_path)
    assert caught.value.id == told


def test_a_blob_is_resumed_without_a_validator(tmp_path: Path) -> None:
    rest = {"Content-Range": f"bytes 40-{BLOB.size - 1}/{BLOB.size}"}
    upstream = blob_upstream(Reply(206, rest, CONTENT[40:]), None)
    _, data, task = bring(upstream.client(), tmp_path, held=CONTENT[:40])
    assert (data, task.advanced) == (CONTENT, BLOB.size)
    assert upstream.transport.asked[0].headers["Range"] == "bytes=40-"


def test_a_blob_through_a_mirror(tmp_path: Path) -> None:
    upstream = Upstream({f"mirror.example/v2/a/b/blobs/{BLOB.digest}": [Reply(body=CONTENT)]})
    assert bring(upstream.client("quay.io=mirror.example"), tmp_path)[0] == "mirror.example"


def test_broken_credentials_end_the_matter(tmp_path: Path) -> None:
    class Broken:
        looked_in = "config.json"

        def login(self, host: str, path: str) -> Login | None:
            raise SourceError(ErrorId.CREDENTIALS_UNREADABLE, f"{host}/{path}", remedy="Mend it.")

    upstream = blob_upstream(Reply(401, headers={"WWW-Authenticate": "Basic"}), Reply(body=CONTENT))
    client = RegistryClient(upstream.transport, logins=Broken(), retry=Retry(attempts=1))
    with pytest.raises(SourceError) as caught:
        bring(client, tmp_path)
    assert caught.value.id == ErrorId.CREDENTIALS_UNREADABLE


MIRROR = "quay.io=mirror.example"
MIRRORED_BLOB = f"mirror.example/v2/a/b/blobs/{BLOB.digest}"
WRONG = b"x" * len(CONTENT)


def test_a_mirror_with_wrong_bytes_gives_way_to_the_original(tmp_path: Path) -> None:
    upstream = blob_upstream(Reply(body=CONTENT), None)
    upstream.replies[MIRRORED_BLOB] = [Reply(body=WRONG)]
    via, data, task = bring(upstream.client(MIRROR), tmp_path)
    assert (via, data, task.advanced) == ("", CONTENT, len(CONTENT))
    assert "(through mirror.example)" in task.notes[0]


def test_what_a_mirror_began_wrongly_is_fetched_whole_from_the_original(tmp_path: Path) -> None:
    rest = {"Content-Range": f"bytes 40-{BLOB.size - 1}/{BLOB.size}"}
    upstream = Upstream({MIRRORED_BLOB: [Reply(body=WRONG, cut_at=40)]})
    upstream.replies[f"quay.io/v2/a/b/blobs/{BLOB.digest}"] = [Reply(206, rest, CONTENT[40:]), Reply(body=CONTENT)]
    _, data, task = bring(upstream.client(MIRROR, attempts=1), tmp_path)
    assert (data, task.advanced) == (CONTENT, len(CONTENT))


def test_wrong_bytes_everywhere_are_never_handed_over(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError) as caught:
        bring(blob_upstream(Reply(body=WRONG), Reply(body=WRONG)).client(), tmp_path, held=b"x")
    assert (caught.value.id, caught.value.want) == (ErrorId.DIGEST_MISMATCH, str(BLOB.digest))
    assert caught.value.where == f"gcr.io/c@{BLOB.digest}"


def test_a_mirror_whose_tag_is_elsewhere_gives_way_to_the_original() -> None:
    upstream = answering(Reply(body=MANIFEST, headers=TYPED))
    upstream.replies["mirror.example/v2/a/b/manifests/1"] = [Reply(body=INDEX, headers={"Content-Type": OCI_INDEX})]
    found = upstream.client(MIRROR).manifest(REFERENCE, want=Digest.sha256(MANIFEST))
    assert (found.data, found.via) == (MANIFEST, "")
    assert upstream.client(MIRROR).manifest(REFERENCE).via == "mirror.example"
    with pytest.raises(IntegrityError):
        upstream.client(MIRROR).manifest(REFERENCE, want=Digest.sha256(b"neither"))


class BrokenLogins:
    """A configuration that the operator has to mend."""

    looked_in = "config.json"

    def login(self, host: str, path: str) -> Login | None:  # noqa: ARG002 - the Protocol's
        raise SourceError(ErrorId.CREDENTIALS_UNREADABLE, "is not JSON", where="config.json", remedy="Mend it.")


def test_unreadable_credentials_are_told_and_not_passed_over(tmp_path: Path) -> None:
    challenge = Reply(401, headers={"WWW-Authenticate": 'Basic realm="x"'})
    upstream = blob_upstream(challenge, Reply(body=CONTENT))
    upstream.replies["mirror.example/v2/a/b/manifests/1"] = [challenge]
    upstream.replies["quay.io/v2/a/b/manifests/1"] = [Reply(body=MANIFEST, headers=TYPED)]
    client = RegistryClient(
        upstream.transport, mirrors=Mirrors.parse([MIRROR]), retry=Retry(attempts=1), logins=BrokenLogins()
    )
    assert failure(client).id == ErrorId.CREDENTIALS_UNREADABLE
    with pytest.raises(SourceError) as caught:
        bring(client, tmp_path)
    assert caught.value.id == ErrorId.CREDENTIALS_UNREADABLE
