"""Answers to a registry's challenge: Basic, and the Bearer tokens of its token service.

Owns which credentials are sent where, and how long tokens are kept; refuses to read configuration (`docker_config.py`
does).
"""

from __future__ import annotations

import base64
import math
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.net.interface import Credentials
from bundler.net.registry.challenge import Challenge, parse_challenges
from bundler.net.registry.errors import first_code, invalid
from bundler.net.registry.token_service import TokenRefused, printable, refuse_plain, request_token
from bundler.net.registry.token_slowness import TokenSlowness
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.net.interface import Transport
    from bundler.net.registry.credentials import Logins, RegistryLogin
    from bundler.net.registry.endpoint import RemoteRepository

# a token is renewed this many seconds before it expires, or after four fifths of a short lifetime
RENEWED_BEFORE_END_S = 10.0
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_ACCESS = ("access", "unauthorized", "authentication", "permission", "forbidden")


@dataclass(slots=True)
class _Grant:
    """The authorization of one repository; `lock` is held while it is requested."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    header: str = field(default="", repr=False)
    good_until_s: float = -math.inf
    challenge: Challenge | None = None
    scopes: tuple[str, ...] = ()


class RegistryAuth:
    """Authorization fields, one per repository; safe for many threads, which share one token request.

    Arguments:
        transport: sends the requests to token services.
        logins: has the credentials; used only after a challenge.
        clock: monotonic seconds.
        pushing: request tokens with the right to push from the first, and with all scopes that a repository's requests
            have needed so far (mounting needs a second repository).
        slowness: tells when a token service lets one wait.
    """

    def __init__(
        self,
        transport: Transport,
        logins: Logins,
        *,
        clock: Callable[[], float] = time.monotonic,
        pushing: bool = False,
        slowness: TokenSlowness | None = None,
    ) -> None:
        self._pushing = pushing
        self._slowness = slowness or TokenSlowness()
        self._transport = transport
        self._logins = logins
        self._clock = clock
        self._lock = threading.Lock()
        self._grants: dict[tuple[str, str], _Grant] = {}
        self._host_challenges: dict[str, Challenge] = {}
        self._accepted_at: set[str] = set()

    def accepted(self, host: str) -> None:
        """Take note that a registry has accepted the login: whatever it refuses from now on is not about that."""
        self._accepted_at.add(host)

    def authorization(self, repository: RemoteRepository) -> str:
        """Return the Authorization field to send, or "" while the registry has not sent a challenge.

        After a registry's first challenge, authorization for its other repositories is requested in advance, and left
        out where it is refused: they may be public. Expired tokens are renewed.
        Raises SourceError when the token service fails or refuses, ToolMissingError.
        """
        grant = self._grant(repository)
        with grant.lock:
            if self._clock() < grant.good_until_s:
                return grant.header
            if grant.challenge is not None:
                self._answer(grant, repository, grant.challenge)
            elif (guess := self._host_challenges.get(repository.endpoint.host)) is not None:
                self._try(grant, repository, guess)
            return grant.header

    def renew(self, repository: RemoteRepository, challenges: str, used: str, message: str = "") -> str:
        """Return another Authorization field after a response 401.

        Arguments:
            challenges: the response's WWW-Authenticate.
            used: the field that was refused, or "".
            message: the registry's own about that, or "".

        Raises SourceError: there is nothing else to send, or the token service fails or refuses; ToolMissingError.
        """
        host = repository.endpoint.host
        grant = self._grant(repository)
        with grant.lock:
            if grant.header != used and self._clock() < grant.good_until_s:
                return grant.header
            challenge = _choose(challenges, repository)
            self._answer(grant, repository, challenge, message)
            if grant.header == used:
                raise self.refusal(repository, message, _UNAUTHORIZED)
            # another repository's scope is not this one's
            parameters = {name: text for name, text in challenge.parameters.items() if name != "scope"}
            self._host_challenges.setdefault(host, Challenge(challenge.scheme, parameters))
            return grant.header

    def refusal(
        self, repository: RemoteRepository, message: str = "", status: int | None = None, *, of_login: bool = False
    ) -> SourceError:
        """Return the error for a registry or token service that refuses us.

        A 403, and a 401 with a reason after the login was accepted, is not about the login.

        Arguments:
            message: its own, or "".
            of_login: whether a token service has refused the login itself.
        """
        host = repository.endpoint.host
        login = self._logins.login(host, repository.path)
        quoted, searched = f" ({message})" if message else "", self._logins.searched
        if not of_login and (status == _FORBIDDEN or (message and host in self._accepted_at)):
            whom = tr(" to {username!r}", username=login.username) if login and login.kind == "password" else ""
            if _is_about_access(message):
                whom += (
                    tr(" of {found_in}", found_in=login.found_in)
                    if login
                    else tr("; no credentials for it were found in {searched}", searched=searched)
                )
            what = f"{message or tr('no reason is given')} ({host} answered {status}{whom})"
        elif login is None:
            what = tr(
                "{host} wants credentials{quoted}; none for it were found in {searched}",
                host=host,
                quoted=quoted,
                searched=searched,
            )
        else:
            name = tr(" of {username!r}", username=login.username) if login.kind == "password" else ""
            what = tr(
                "{host} refuses the credentials{name} found in {found_in}{quoted}",
                host=host,
                name=name,
                found_in=login.found_in,
                quoted=quoted,
            )
        return SourceError(
            ErrorId.SOURCE_UNAUTHORIZED,
            what,
            where=repository.where,
            remedy=tr(
                "Check the image's name (many registries say the same of images that do not exist), or run "
                "`docker login {host}` with an account that may {action} it.",
                host=host,
                action=tr("push") if self._pushing else tr("pull"),
            ),
            status=status,
            code=first_code(message),
            quote=message,
        )

    def _grant(self, repository: RemoteRepository) -> _Grant:
        with self._lock:
            return self._grants.setdefault((repository.endpoint.host, repository.path), _Grant())

    def _try(self, grant: _Grant, repository: RemoteRepository, guess: Challenge) -> None:
        """Answer the challenge of another repository; where that is refused, go on without credentials."""
        try:
            self._answer(grant, repository, guess)
        except SourceError as error:
            if error.id != ErrorId.SOURCE_UNAUTHORIZED:
                raise
            grant.header, grant.good_until_s = "", math.inf

    def _answer(self, grant: _Grant, repository: RemoteRepository, challenge: Challenge, message: str = "") -> None:
        grant.good_until_s = -math.inf
        login = self._logins.login(repository.endpoint.host, repository.path)
        if challenge.scheme == "basic":
            if login is None or login.kind != "password":
                raise self.refusal(repository, message, _UNAUTHORIZED)
            refuse_plain(repository.endpoint.url, repository)
            pair = base64.b64encode(b":".join(Credentials(login.username, login.secret).as_bytes())).decode()
            header, good_until_s = f"Basic {pair}", math.inf
        elif login is not None and login.kind == "registry-token":
            refuse_plain(repository.endpoint.url, repository)
            header, good_until_s = f"Bearer {printable(login.secret, repository)}", math.inf
        else:
            grant.scopes = self._scopes(grant, repository, challenge)
            header, good_until_s = self._bearer(repository, challenge, login, grant.scopes)
        grant.header, grant.good_until_s, grant.challenge = header, good_until_s, challenge

    def _scopes(self, grant: _Grant, repository: RemoteRepository, challenge: Challenge) -> tuple[str, ...]:
        """Return the scopes to request; none for the registry itself, here a repository without a path."""
        wanted = challenge.parameters.get("scope", "")
        if not repository.path:
            return ()
        if not self._pushing:
            return (wanted or f"repository:{repository.path}:pull",)
        own = f"repository:{repository.path}:"
        others = (scope for scope in wanted.split() if not scope.startswith(own))
        return tuple(dict.fromkeys((f"{own}pull,push", *grant.scopes, *others)))

    def _bearer(
        self, repository: RemoteRepository, challenge: Challenge, login: RegistryLogin | None, scopes: tuple[str, ...]
    ) -> tuple[str, float]:
        requested_s = self._clock()
        with self._slowness.watched(repository.endpoint.host, challenge.parameters.get("realm", "")):
            token = request_token(self._transport, repository, challenge, login, scopes)
        if isinstance(token, TokenRefused):
            message = tr("its token service answered {status}", status=token.status)
            raise self.refusal(repository, message, token.status, of_login=True)
        kept_s = token.lifetime_s - min(RENEWED_BEFORE_END_S, token.lifetime_s / 5)
        return f"Bearer {token.text}", requested_s + kept_s


def _is_about_access(message: str) -> bool:
    """Tell whether a refusal's reason is who asked: its words say so, or there are none."""
    reason = message.removeprefix(first_code(message)).lower()
    return not reason or any(word in reason for word in _ACCESS)


def _choose(challenges: str, repository: RemoteRepository) -> Challenge:
    """Return the challenge to answer: Bearer before Basic."""
    try:
        offered = {challenge.scheme: challenge for challenge in reversed(parse_challenges(challenges))}
    except ValueError as error:
        raise invalid(repository, tr("sent a WWW-Authenticate that cannot be read: {error}", error=error)) from error
    for scheme in ("bearer", "basic"):
        if scheme in offered:
            return offered[scheme]
    names = ", ".join(sorted(offered)) or "nothing"
    raise invalid(
        repository, tr("refuses the request and offers {names} to authenticate with, not Basic or Bearer", names=names)
    )
