"""One request to the token service that a registry names.

Owns its two forms, the distribution project's "Token Authentication Specification" (GET) and "OAuth2 Token
Authentication" (POST, for identity tokens); refuses to keep tokens and to find credentials (`token_auth.py` does).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from bundler.errors import ErrorId, SourceError
from bundler.model.json_value import load_foreign
from bundler.net.http.status import error_for_status
from bundler.net.interface import Credentials
from bundler.net.redact import redact
from bundler.net.registry.endpoint import is_loopback
from bundler.net.registry.errors import invalid
from bundler.translation import tr

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from bundler.net.interface import Response, Transport
    from bundler.net.registry.challenge import Challenge
    from bundler.net.registry.credentials import RegistryLogin
    from bundler.net.registry.endpoint import RemoteRepository

CLIENT_ID = "kubeedge-bundler"
MAX_TOKEN_BYTES = 1024 * 1024
# "Token Authentication Specification", expires_in: the default, in seconds
DEFAULT_LIFETIME_S = 60.0
# a year; a longer lifetime must be in another unit
LONGEST_LIFETIME_S = 365 * 86400.0
_OK = 200
# 400 is OAuth2's status for a refresh token that is not valid any more (RFC 6749 section 5.2)
_REFUSALS = frozenset({400, 401, 403})
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and how long it is valid, in seconds; its repr does not show it."""

    text: str = field(repr=False)
    lifetime_s: float


@dataclass(frozen=True, slots=True)
class TokenRefused:
    """The token service issues none for these credentials; `status` is that of its response."""

    status: int


def request_token(
    transport: Transport,
    repository: RemoteRepository,
    challenge: Challenge,
    login: RegistryLogin | None,
    scopes: tuple[str, ...],
) -> Token | TokenRefused:
    """Request a token.

    Arguments:
        challenge: the registry's Bearer challenge: realm, and usually service.
        login: a password or an identity token, or None for an anonymous request.
        scopes: `repository:PATH:ACTIONS`; () only to check the login.

    Raises SourceError: the realm is not a URL, or would get the credentials without TLS, or violates the protocol.
    """
    realm = challenge.parameters.get("realm", "")
    if not _is_http_url(realm):
        raise invalid(repository, tr("names a token service that is no URL: {realm!r}", realm=realm))
    if login is not None:
        refuse_plain(realm, repository)
    service = challenge.parameters.get("service", "")
    with _send(transport, realm, {"service": service} if service else {}, scopes, login) as response:
        if response.status in _REFUSALS:
            return TokenRefused(response.status)
        return _decode(response, repository)


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _send(
    transport: Transport, realm: str, fields: dict[str, str], scopes: tuple[str, ...], login: RegistryLogin | None
) -> AbstractContextManager[Response]:
    if login is not None and login.kind == "identity-token":
        form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": login.secret, **fields}
        form |= {"scope": " ".join(scopes)} if scopes else {}
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        return transport.request("POST", realm, headers=headers, body=urlencode(form).encode())
    parts = urlsplit(realm)
    query = "&".join(
        part for part in (parts.query, urlencode([*fields.items(), *(("scope", scope) for scope in scopes)])) if part
    )
    url = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
    credentials = Credentials(login.username, login.secret) if login is not None else None
    return transport.request("GET", url, headers={"Accept": "application/json"}, credentials=credentials)


def _decode(response: Response, repository: RemoteRepository) -> Token:
    if response.status != _OK:
        raise error_for_status(response)
    data = response.read(MAX_TOKEN_BYTES)
    try:
        value: Any = load_foreign(data)
        token = value.get("token") or value.get("access_token")
        lifetime = value.get("expires_in")
    except (ValueError, AttributeError):
        # the chained exception would hold the body, and with it perhaps a token
        raise invalid(repository, tr("has a token service that answers something else than a JSON object")) from None
    known = isinstance(lifetime, int | float) and lifetime <= LONGEST_LIFETIME_S
    return Token(printable(token, repository), float(max(0, lifetime)) if known else DEFAULT_LIFETIME_S)


def printable(token: object, repository: RemoteRepository) -> str:
    """Return a token that fits in a header; SourceError for anything else."""
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise invalid(repository, tr("has a token service that gave no token, or one that fits in no header"))
    return token


def refuse_plain(url: str, repository: RemoteRepository) -> None:
    """Raise SourceError unless credentials may be sent there: over TLS, or to where an insecure registry says.

    A registry that is insecure only because it is this machine, perhaps a tunnel's end, may name this machine alone.
    """
    endpoint, parts = repository.endpoint, urlsplit(url)
    accepted = endpoint.insecure and (endpoint.named or is_loopback(parts.netloc.rpartition("@")[2]))
    if parts.scheme != "https" and not accepted:
        host = repository.endpoint.host
        raise SourceError(
            ErrorId.SOURCE_UNAUTHORIZED,
            tr("{host} wants its credentials at {url}, without TLS; they were not sent", host=host, url=redact(url)),
            where=repository.where,
            remedy=tr(
                "Have the registry name an https token service (Harbor: external_url in harbor.yml), or accept that "
                "anybody in between can read them: --insecure-registry {host}, or --plain-http for a push.",
                host=host,
            ),
        )
