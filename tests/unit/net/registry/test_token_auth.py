"""Answers to challenges: which credentials go where, and how long tokens are kept."""

from __future__ import annotations

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.interface import Credentials
from bundler.net.registry.credentials import LoginKind, RegistryLogin
from bundler.net.registry.endpoint import RegistryEndpoint, RemoteRepository
from bundler.net.registry.token_auth import RENEWED_BEFORE_END_S, RegistryAuth
from tests.fakes.transport import Asked, FakeTransport, Reply

REALM = "https://auth.example/token"
BEARER = f'Bearer realm="{REALM}",service="registry",scope="repository:a/b:pull"'
BASIC = 'Basic realm="registry"'
SECRET = "s3cret-word"


class KnownLogins:
    """One login for every repository, or none."""

    searched = "config.json"

    def __init__(self, login: RegistryLogin | None = None) -> None:
        self._login = login

    def login(self, host: str, path: str) -> RegistryLogin | None:  # noqa: ARG002 - the Protocol's
        return self._login


class TokenService:
    """Gives numbered tokens; `replies` go first."""

    def __init__(self, *replies: Reply, expires_in: object = 300) -> None:
        self.replies = list(replies)
        self.expires_in = expires_in
        self.given = 0
        self.now_s = 1000.0
        self.transport = FakeTransport(self.answer)

    def answer(self, asked: Asked) -> Reply:  # noqa: ARG002 - answers anybody
        if self.replies:
            return self.replies.pop(0)
        self.given += 1
        return Reply(body=json.dumps({"token": f"t{self.given}", "expires_in": self.expires_in}).encode())

    def auth(self, login: RegistryLogin | None = None) -> RegistryAuth:
        return RegistryAuth(self.transport, KnownLogins(login), clock=lambda: self.now_s)


def repository(path: str = "a/b", *, scheme: str = "https", insecure: bool = False) -> RemoteRepository:
    endpoint = RegistryEndpoint("registry.example", f"{scheme}://registry.example", insecure, named=insecure)
    return RemoteRepository(endpoint, path, f"registry.example/{path}:1")


def login(kind: LoginKind = "password") -> RegistryLogin:
    return RegistryLogin("user", SECRET, "config.json", kind)


def test_nothing_is_sent_before_a_challenge() -> None:
    service = TokenService()
    assert service.auth(login()).authorization(repository()) == ""
    assert service.transport.asked == []


def test_basic() -> None:
    auth = TokenService().auth(login())
    expected = "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode()
    assert auth.renew(repository(), BASIC, "") == expected
    assert auth.authorization(repository()) == expected
    # the host is taken at its word for its other repositories
    assert auth.authorization(repository("c")) == expected


def test_basic_that_is_refused_is_not_sent_again() -> None:
    auth = TokenService().auth(login())
    used = auth.renew(repository(), BASIC, "")
    with pytest.raises(SourceError, match="refuses the credentials of 'user' found in config") as caught:
        auth.renew(repository(), BASIC, used)
    assert (caught.value.id, caught.value.where) == (ErrorId.SOURCE_UNAUTHORIZED, "registry.example/a/b:1")
    assert SECRET not in caught.value.text()


class OneNamespace(KnownLogins):
    """Knows the repositories below `private/` alone."""

    def login(self, host: str, path: str) -> RegistryLogin | None:
        return super().login(host, path) if path.startswith("private/") else None


def test_a_public_repository_beside_a_private_one_is_asked_without_credentials() -> None:
    auth = RegistryAuth(TokenService().transport, OneNamespace(login()))
    assert auth.renew(repository("private/a"), BASIC, "").startswith("Basic ")
    assert auth.authorization(repository("public/a")) == ""
    with pytest.raises(SourceError, match="none for it were found"):
        auth.renew(repository("public/a"), BASIC, "")


def test_a_token_service_that_refuses_strangers_does_not_close_public_repositories() -> None:
    service = TokenService()
    auth = RegistryAuth(service.transport, OneNamespace(login()), clock=lambda: service.now_s)
    auth.renew(repository("private/a"), BEARER, "")
    service.replies = [Reply(401)]
    assert auth.authorization(repository("public/a")) == ""
    assert auth.authorization(repository("public/a")) == ""
    assert len(service.transport.asked) == 2


def test_basic_without_credentials() -> None:
    with pytest.raises(SourceError, match=r"none for it were found in config\.json"):
        TokenService().auth().renew(repository(), BASIC, "")


def test_bearer_with_a_password() -> None:
    service = TokenService()
    assert service.auth(login()).renew(repository(), BEARER, "") == "Bearer t1"
    (asked,) = service.transport.asked
    assert (asked.method, asked.credentials) == ("GET", Credentials("user", SECRET))
    assert asked.url.startswith(f"{REALM}?")
    assert parse_qs(urlsplit(asked.url).query) == {"service": ["registry"], "scope": ["repository:a/b:pull"]}
    assert SECRET not in asked.url


def test_bearer_without_credentials_is_asked_for_anonymously() -> None:
    service = TokenService()
    assert service.auth().renew(repository(), BEARER, "") == "Bearer t1"
    assert service.transport.asked[0].credentials is None


def test_bearer_goes_before_basic() -> None:
    assert TokenService().auth(login()).renew(repository(), f"{BASIC}, {BEARER}", "") == "Bearer t1"


def test_an_identity_token_goes_into_the_body() -> None:
    service = TokenService()
    assert service.auth(login("identity-token")).renew(repository(), BEARER, "") == "Bearer t1"
    (asked,) = service.transport.asked
    assert (asked.method, asked.url, asked.credentials) == ("POST", REALM, None)
    assert isinstance(asked.body, bytes)
    form = parse_qs(asked.body.decode())
    assert form["grant_type"] == ["refresh_token"]
    assert form["refresh_token"] == [SECRET]
    assert form["scope"] == ["repository:a/b:pull"]


def test_a_registry_token_goes_to_the_registry_as_it_is() -> None:
    service = TokenService()
    assert service.auth(login("registry-token")).renew(repository(), BEARER, "") == f"Bearer {SECRET}"
    assert service.transport.asked == []


def test_a_realm_keeps_its_query_and_a_missing_scope_is_made() -> None:
    service = TokenService()
    service.auth().renew(repository("x/y"), f'Bearer realm="{REALM}?tenant=7"', "")
    query = parse_qs(urlsplit(service.transport.urls[0]).query)
    assert query == {"tenant": ["7"], "scope": ["repository:x/y:pull"]}


def test_a_token_is_used_until_shortly_before_its_end() -> None:
    service = TokenService(expires_in=300)
    auth = service.auth()
    auth.renew(repository(), BEARER, "")
    service.now_s += 300 - RENEWED_BEFORE_END_S - 0.1
    assert auth.authorization(repository()) == "Bearer t1"
    service.now_s += 0.2
    assert auth.authorization(repository()) == "Bearer t2"
    assert parse_qs(urlsplit(service.transport.urls[1]).query)["scope"] == ["repository:a/b:pull"]


@pytest.mark.parametrize(
    ("expires_in", "kept_s"),
    [(None, 50), ("soon", 50), (10, 8), (0, 0), (-5, 0), (1e400, 50), (10**400, 50), (-(10**400), 0)],
)
def test_lifetimes_in_all_their_forms(expires_in: object, kept_s: float) -> None:
    service = TokenService(expires_in=expires_in)
    auth = service.auth()
    auth.renew(repository(), BEARER, "")
    service.now_s += max(0, kept_s - 0.1)
    assert auth.authorization(repository()) == ("Bearer t1" if kept_s else "Bearer t2")
    service.now_s += 0.2
    assert auth.authorization(repository()) != "Bearer t1"


def test_another_repository_gets_a_token_of_its_own_without_being_challenged() -> None:
    service = TokenService()
    auth = service.auth()
    auth.renew(repository(), BEARER, "")
    assert auth.authorization(repository("c/d")) == "Bearer t2"
    assert parse_qs(urlsplit(service.transport.urls[1]).query)["scope"] == ["repository:c/d:pull"]


def test_a_refused_token_is_renewed() -> None:
    auth = TokenService().auth()
    assert auth.renew(repository(), BEARER, "") == "Bearer t1"
    assert auth.renew(repository(), BEARER, "Bearer t1") == "Bearer t2"
    # somebody else saw t1 refused as well, and finds t2
    assert auth.renew(repository(), BEARER, "Bearer t1") == "Bearer t2"


def test_threads_wait_for_one_token() -> None:
    service = TokenService()
    auth = service.auth()
    together = threading.Barrier(8)

    def renew(_: int) -> str:
        together.wait()
        return auth.renew(repository(), BEARER, "")

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(renew, range(8))) == {"Bearer t1"}
    assert service.given == 1


@pytest.mark.parametrize("status", [400, 401, 403])
@pytest.mark.parametrize("known", [True, False])
def test_a_token_service_that_refuses(status: int, known: bool) -> None:
    service = TokenService(Reply(status))
    with pytest.raises(SourceError, match=f"its token service answered {status}") as caught:
        service.auth(login() if known else None).renew(repository(), BEARER, "")
    assert caught.value.id == ErrorId.SOURCE_UNAUTHORIZED
    assert ("refuses the credentials" in caught.value.what) == known
    assert not caught.value.retryable
    assert len(service.transport.asked) == 1


def test_a_busy_token_service_may_be_asked_again() -> None:
    service = TokenService(Reply(503, headers={"Retry-After": "7"}))
    with pytest.raises(SourceError) as caught:
        service.auth().renew(repository(), BEARER, "")
    assert (caught.value.retryable, caught.value.retry_after_s) == (True, 7.0)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"7", b"{}", b'{"token": ""}', b'{"token": 7}', b'{"token": "a\\r\\nX-Evil: 1"}', b"\xff"],
)
def test_an_answer_that_is_no_token(body: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        TokenService(Reply(body=body)).auth().renew(repository(), BEARER, "")
    assert caught.value.id == ErrorId.SOURCE_INVALID


def test_the_other_name_of_a_token() -> None:
    reply = Reply(body=b'{"access_token": "oauth"}')
    assert TokenService(reply).auth().renew(repository(), BEARER, "") == "Bearer oauth"


@pytest.mark.parametrize("kind", ["password", "identity-token"])
def test_credentials_do_not_go_to_a_realm_without_tls(kind: LoginKind) -> None:
    service = TokenService()
    plain = 'Bearer realm="http://auth.example/token"'
    with pytest.raises(SourceError, match="without TLS; they were not sent") as caught:
        service.auth(login(kind)).renew(repository(), plain, "")
    assert caught.value.id == ErrorId.SOURCE_UNAUTHORIZED
    assert service.transport.asked == []
    # a token for anybody opens nothing, and an insecure registry has been accepted
    assert service.auth().renew(repository(), plain, "") == "Bearer t1"
    assert service.auth(login(kind)).renew(repository(scheme="http", insecure=True), plain, "") == "Bearer t2"


@pytest.mark.parametrize("kind", ["password", "identity-token"])
def test_a_registry_on_this_machine_sends_credentials_in_clear_to_this_machine_alone(kind: LoginKind) -> None:
    # perhaps it is the end of a tunnel
    here = RemoteRepository(
        RegistryEndpoint("localhost:5000", "http://localhost:5000", insecure=True), "a/b", "localhost:5000/a/b:1"
    )
    service = TokenService()
    with pytest.raises(SourceError, match="without TLS; they were not sent"):
        service.auth(login(kind)).renew(here, 'Bearer realm="http://auth.example/token"', "")
    assert service.transport.asked == []
    for near in (
        "http://127.0.0.1:81/token",
        "http://[::1]/token",
        "http://localhost/token",
        "https://auth.example/token",
    ):
        assert service.auth(login(kind)).renew(here, f'Bearer realm="{near}"', "")


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "Negotiate",
        'Bearer realm="auth.example/token"',
        'Bearer realm="file:///etc/passwd"',
        'Bearer service="x"',
        'Bearer realm="http://[auth/token"',
        'Bearer realm="',
    ],
)
def test_challenges_that_cannot_be_answered(asked: str) -> None:
    service = TokenService()
    with pytest.raises(SourceError) as caught:
        service.auth(login()).renew(repository(), asked, "")
    assert (caught.value.id, caught.value.where) == (ErrorId.SOURCE_INVALID, "registry.example/a/b:1")
    assert service.transport.asked == []
