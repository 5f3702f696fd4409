"""What the push side of a registry makes of refusals that are not about the login, over a scripted transport."""

from __future__ import annotations

import pytest

from bundler.errors import ErrorId
from bundler.net.registry.credentials import NoLogins, OneLogin, RegistryLogin
from tests.fakes.transport import Asked, Reply
from tests.unit.net.registry.test_push import BLOB, errors, failure, pusher

FROZEN = "The system is in read only mode. Any modification is prohibited."
FULL = (
    "adding 1.9 MiB of storage resource, which when updated to current usage of 0 B will exceed the limit of 1.0 MiB."
)


@pytest.mark.parametrize(("message", "remedy"), [(FROZEN, "end the mode"), (FULL, "Raise the project's quota")])
@pytest.mark.parametrize("login", [None, RegistryLogin("admin", "s3cret", "config.json")], ids=["nobody", "admin"])
def test_a_refusal_with_a_reason_is_not_about_the_login(message: str, remedy: str, login: RegistryLogin | None) -> None:
    logins = NoLogins() if login is None else OneLogin("master", login)
    made, transport, _ = pusher(lambda _: Reply(403, body=errors("DENIED", message)), logins=logins)
    error = failure(lambda: made.put_manifest("k8s/app", "1", "x/y", b"{}"))
    assert (error.id, error.status, error.code) == (ErrorId.PUSH_REFUSED, 403, "DENIED")
    assert error.what.startswith(f"DENIED: {message}")
    assert remedy in error.remedy
    told = error.text()
    assert not [words for words in ("wants credentials", "refuses the credentials", "docker login") if words in told]
    assert len(transport.asked) == 1


def test_a_page_of_a_firewall_is_quoted_and_called_that() -> None:
    page = b"<html><head><title>x</title><style>p{}</style></head><body><p>Blocked by&nbsp;policy <b>4711</b></body>"
    made = pusher(lambda _: Reply(403, {"Content-Type": "text/html; charset=utf-8"}, page))[0]
    error = failure(lambda: made.put_manifest("k8s/app", "1", "x/y", b"{}"))
    assert (error.id, error.code) == (ErrorId.PUSH_REFUSED, "")
    assert error.what == "a web page says: Blocked by policy 4711 (master answered 403)"
    assert "firewall" in error.remedy


def test_the_words_for_who_has_no_right_are_quoted_although_the_look_up_has_no_body() -> None:
    words = "unauthorized to access repository: demo/app, action: pull"
    realm = 'Bearer realm="https://master/service/token",service="harbor-registry"'

    def answer(asked: Asked) -> Reply:
        if "/service/token" in asked.url:
            return Reply(200, body=b'{"token": "t"}')
        if "Authorization" not in asked.headers:
            return Reply(401, {"WWW-Authenticate": realm})
        if asked.url.endswith("/v2/"):
            return Reply(200)
        body = b"" if asked.method == "HEAD" else errors("UNAUTHORIZED", words)
        return Reply(401, {"WWW-Authenticate": 'Basic realm="harbor"'}, body)

    made = pusher(answer, logins=OneLogin("master", RegistryLogin("joe", "s3cret", "config.json")))[0]
    made.check()
    for act in (
        lambda: made.manifest_digest("demo/app", "1"),
        lambda: made.has_blob("demo/app", BLOB),
        lambda: made.put_manifest("demo/app", "1", "x/y", b"{}"),
    ):
        error = failure(act)
        assert (error.id, error.status, error.code) == (ErrorId.PUSH_UNAUTHORIZED, 401, "UNAUTHORIZED")
        assert error.what == f"UNAUTHORIZED: {words} (master answered 401 to 'joe' of config.json)"
        assert "a role in this project" in error.remedy
