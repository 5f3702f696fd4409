"""Manifests from a registry over a scripted transport; real registries follow in tests/integration."""

from __future__ import annotations

import hashlib
import json

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.model.digest import Digest
from bundler.model.image.oci import DOCKER_INDEX, MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST
from bundler.model.reference import Reference
from bundler.net.registry.credentials import RegistryLogin
from tests.fakes.transport import Reply
from tests.unit.net.registry.registry_upstream import (
    INDEX,
    MANIFEST,
    REFERENCE,
    SCHEMA_1,
    TYPED,
    Upstream,
    answering,
    failure,
)


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


def test_an_image_of_other_digests_is_not_taken_for_a_page() -> None:
    body = MANIFEST.replace(b"sha256:", b"sha512:")
    error = failure(answering(Reply(body=body, headers={"Content-Type": OCI_MANIFEST})).client())
    assert error.id == ErrorId.IMAGE_SCHEMA_UNSUPPORTED
    assert "sha512" in error.what
    assert "is a registry" not in error.remedy


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
    assert "no credentials for it were found in config.json" in error.what
    error = failure(answering(reply).client(login=RegistryLogin("user", "s3cret", "config.json")))
    assert "answered 403 to 'user' of config.json" in error.what


def test_a_challenge_is_answered_once() -> None:
    challenge = Reply(401, headers={"WWW-Authenticate": 'Basic realm="x"'})
    upstream = answering(challenge, Reply(body=MANIFEST, headers=TYPED))
    assert upstream.client(login=RegistryLogin("user", "s3cret", "config.json")).manifest(REFERENCE).data == MANIFEST
    assert [asked.headers.get("Authorization") for asked in upstream.transport.asked] == [
        None,
        "Basic dXNlcjpzM2NyZXQ=",
    ]
    forever = answering(challenge)
    assert (
        failure(forever.client(login=RegistryLogin("user", "s3cret", "config.json"))).id == ErrorId.SOURCE_UNAUTHORIZED
    )
    assert len(forever.transport.asked) == 2


def test_storage_behind_the_registry_gets_no_answer_to_its_challenge() -> None:
    elsewhere = Reply(401, headers={"WWW-Authenticate": 'Basic realm="x"'}, url="https://storage.example/x")
    upstream = answering(elsewhere)
    error = failure(upstream.client(login=RegistryLogin("user", "s3cret", "config.json")))
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
    client = upstream.client("quay.io=mirror.example", only=True, login=RegistryLogin("user", "s3cret", "config.json"))
    assert failure(client).id == ErrorId.SOURCE_UNAUTHORIZED
    assert [asked.headers.get("Authorization") for asked in upstream.transport.asked] == [None]


def test_the_originals_error_counts() -> None:
    upstream = answering(Reply(404))
    assert failure(upstream.client("quay.io=mirror.example")).id == ErrorId.SOURCE_NOT_FOUND
