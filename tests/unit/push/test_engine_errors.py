"""What an engine says of a failed push, word for word as Docker 20.10 does, and what it means."""

from __future__ import annotations

import pytest

from bundler.errors import ErrorId
from bundler.push.engine_errors import refused_push

STATE = "secret" * 8
REFUSED_AT = "dial tcp 198.51.100.2:443: connect: connection refused"
DIAL = 'Get "https://master/v2/": dial tcp 198.51.100.1:443: '


@pytest.mark.parametrize(
    ("said", "want", "code", "status", "retryable"),
    [
        ("unauthorized: project k8s not found: project k8s not found", "unauthorized", "UNAUTHORIZED", None, False),
        ("denied: requested access to the resource is denied", "unauthorized", "DENIED", None, False),
        ("no basic auth credentials", "unauthorized", "", None, False),
        ("errors:\ndenied: one\nunknown: two\n", "unauthorized", "DENIED", None, False),
        ("manifest blob unknown: blob unknown to registry", "invalid", "MANIFEST_BLOB_UNKNOWN", None, False),
        ("toomanyrequests: too many requests", "busy", "TOOMANYREQUESTS", None, True),
        ('error parsing HTTP 429 response body: unexpected end of JSON input: ""', "busy", "", 429, True),
        ("received unexpected HTTP status: 500 Internal Server Error", "busy", "", 500, True),
        (f"{DIAL}connect: connection refused", "unreachable", "", None, True),
        (f"{DIAL}lookup master on 198.51.100.9:53: no such host", "unreachable", "", None, True),
        (f'Put "https://master/v2/a/blobs/uploads/1?_state={STATE}": EOF', "cut", "", None, True),
        ('Get "https://master/v2/": net/http: TLS handshake timeout', "cut", "", None, True),
        ('Get "https://master/v2/": x509: certificate signed by unknown authority', "tls", "", None, False),
        ('Get "https://master/v2/": http: server gave HTTP response to HTTPS client', "tls", "", None, False),
        ("something else", "invalid", "", None, False),
    ],
)
def test_meaning(said: str, want: str, code: str, status: int | None, retryable: bool) -> None:
    error = refused_push(said, "master/k8s/app:1")
    assert (error.id, error.code, error.status) == (ErrorId(f"source-{want}"), code, status)
    assert error.retryable is retryable
    assert "secret" not in str(error)


def test_its_words_are_told() -> None:
    said = "denied: adding 5 MiB of storage resource will exceed the limit"
    assert said in str(refused_push(said, "master/k8s/app:1"))


@pytest.mark.parametrize(
    ("said", "where"),
    [
        (
            'Get "http://harbor.example/service/token?scope=x": dial tcp: lookup harbor.example: no such host',
            "http://harbor.example/",
        ),
        ('Get "https://user:secret@harbor.example/service/token": x509: unknown authority', "master:443/k8s/app:1"),
        ("dial tcp: lookup harbor.example on 198.51.100.9:53: no such host", "tcp://harbor.example/"),
        ("dial tcp: lookup master: no such host", "master:443/k8s/app:1"),
        ("dial tcp 198.51.100.1:8443: connect: connection refused", "tcp://198.51.100.1:8443/"),
        ("dial tcp 198.51.100.1:443: connect: connection refused", "master:443/k8s/app:1"),
        ('Get "https://master:443/v2/": dial tcp 198.51.100.1:443: i/o timeout', "master:443/k8s/app:1"),
        ("denied: requested access to the resource is denied", "master:443/k8s/app:1"),
    ],
)
def test_another_host_that_failed_is_named(said: str, where: str) -> None:
    assert refused_push(said, "master:443/k8s/app:1").where == where


@pytest.mark.parametrize(
    ("said", "registry", "elsewhere"),
    [
        (f'Head "https://m.x/v2/": Get "http://harbor.x/t": {REFUSED_AT}', "m.x", "http://harbor.x/"),
        (REFUSED_AT, "198.51.100.1", "tcp://198.51.100.2:443/"),
        (REFUSED_AT, "198.51.100.2", ""),
        (REFUSED_AT, "m.x", ""),
        ('Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no', "docker.io", ""),
    ],
)
def test_only_another_host_than_the_registry_is_another_one(said: str, registry: str, elsewhere: str) -> None:
    name = f"{registry}/k8s/app:1"
    assert refused_push(said, name).where == (elsewhere or name)
