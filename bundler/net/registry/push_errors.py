"""From SourceError to PublishError: what a failed request means to the person who pushes. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bundler.errors import ErrorId, PublishError
from bundler.net.http.tls import ClientCertificateError
from bundler.net.registry.errors import PAGE_SAYS
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.errors import SourceError
    from bundler.net.registry.endpoint import RegistryEndpoint

_LINE = frozenset({ErrorId.SOURCE_UNREACHABLE, ErrorId.SOURCE_TIMEOUT, ErrorId.SOURCE_CUT, ErrorId.SOURCE_BUSY})
# tcp: of a failed connection an engine may report nothing but the address
_SCHEMES = frozenset({"http", "https", "tcp"})
_UNAUTHORIZED = 401
_SICK = tr("See `docker ps` and the components' logs on its host")
# in messages of refusals that are not about credentials: Harbor's src/controller/quota, src/server/middleware/immutable
_QUOTA = ("quota", "exceed", "storage resource")
_IMMUTABLE = ("immutable",)
# Content Too Large: registries have codes and words of their own for it, proxies have none
_TOO_LARGE = 413
# of who was let in, and has no right there: src/server/middleware/v2auth; distribution's errcode for DENIED
_NO_RIGHT = ("unauthorized to access", "access to the resource is denied")
# src/server/middleware/readonly
_FROZEN = ("read only mode", "read-only mode")
FROZEN_REMEDY = tr(
    "It was made read-only, perhaps while its garbage is collected: wait for that to end, or end the mode (Harbor: "
    "Administration > Configuration > System Settings); then run the command again."
)


def publish_error(error: SourceError, endpoint: RegistryEndpoint) -> PublishError:
    """Return the error to raise; it keeps the registry's status, code and message."""
    id_, remedy = _meaning(error, endpoint)
    what = error.sentence
    if (realm := _token_service(error, endpoint)) and id_ in (ErrorId.PUSH_UNREACHABLE, ErrorId.PUSH_TLS):
        what = tr(
            "{host} sends its clients to {realm} for a token, and that fails: {what}",
            host=endpoint.host,
            realm=realm,
            what=what,
        )
    return PublishError(
        id_, what, where=error.where, remedy=remedy, status=error.status, code=error.code, quote=error.quote
    )


def _meaning(error: SourceError, endpoint: RegistryEndpoint) -> tuple[ErrorId, str]:
    """Return id and remedy."""
    # the registry's message, in which the host's own name may contain one of the words
    message = error.quote.replace(endpoint.host, "").lower()
    if error.id == ErrorId.CREDENTIALS_UNREADABLE:
        return error.id, error.remedy
    if error.id == ErrorId.SOURCE_BUSY and error.status == _UNAUTHORIZED:
        return ErrorId.PUSH_UNHEALTHY, tr("{sick}; then run the command again, it sends what is missing.", sick=_SICK)
    if error.id in _LINE:
        return ErrorId.PUSH_UNREACHABLE, _line_remedy(error, endpoint)
    if error.id == ErrorId.SOURCE_TLS:
        return ErrorId.PUSH_TLS, _tls_remedy(error)
    if is_frozen(message):
        return ErrorId.PUSH_REFUSED, FROZEN_REMEDY
    if any(word in message for word in _QUOTA):
        remedy = tr("Raise the project's quota, or delete what is no longer needed there; then run the command again.")
        return ErrorId.PUSH_REFUSED, remedy
    if any(word in message for word in _IMMUTABLE):
        remedy = tr("The tag may not be changed there: push under another project, or change the project's tag rules.")
        return ErrorId.PUSH_REFUSED, remedy
    if error.status == _TOO_LARGE and not message:
        remedy = tr(
            "A proxy before the registry takes no body of that size: raise its limit there (nginx: "
            "`client_max_body_size 0;` of the server or location), then run the command again."
        )
        return ErrorId.PUSH_REFUSED, remedy
    if error.id == ErrorId.SOURCE_UNAUTHORIZED:
        return _refusal_meaning(error, message, endpoint)
    return ErrorId.PUSH_REFUSED, tr("See what the registry says, and its log; then run the command again.")


def is_frozen(message: str) -> bool:
    """Tell whether a registry's words are about its read-only mode."""
    return any(words in message.lower() for words in _FROZEN)


def _refusal_meaning(error: SourceError, message: str, endpoint: RegistryEndpoint) -> tuple[ErrorId, str]:
    """Return id and remedy of a 401 or 403 without a reason of another kind."""
    if error.status is None:
        # not the registry refused: bundler refused to send a password in clear
        return ErrorId.PUSH_UNAUTHORIZED, error.remedy
    if error.quote.startswith(PAGE_SAYS):
        return ErrorId.PUSH_REFUSED, (
            tr(
                "This is no registry's answer: show it to whoever runs the firewall or proxy before "
                "it, or push by a way "
                "around that."
            )
        )
    if "project" in message and "not found" in message:
        return ErrorId.PUSH_UNAUTHORIZED, (
            tr(
                "Create the project, or have this account made a member of it: Harbor says the same "
                "of a project that an "
                "account may not see."
            )
        )
    if any(words in message for words in _NO_RIGHT):
        return ErrorId.PUSH_UNAUTHORIZED, (
            tr(
                "Give the account a role in this project that may push (Harbor: Developer or above), or run "
                "`docker login {host}` with one that has it.",
                host=endpoint.host,
            )
        )
    return ErrorId.PUSH_UNAUTHORIZED, _login_remedy(endpoint)


def login_doubted(error: SourceError, why: str) -> SourceError:
    """Return the error for a refusal of credentials that the registry has accepted before; `why` it may pass."""
    return replace(error, id=ErrorId.SOURCE_BUSY, what=f"{error.what}; {why}", retryable=True)


def scheme_error(endpoint: RegistryEndpoint, *, speaks_tls: bool) -> PublishError:
    """Return the error for a registry that speaks HTTP where HTTPS was expected, or the reverse."""
    if speaks_tls:
        what, remedy = tr("it speaks HTTPS on this port, not plain HTTP"), tr("Leave --plain-http out.")
    else:
        what = tr("it speaks plain HTTP on this port, not HTTPS")
        remedy = tr("Name its HTTPS port, or accept a connection that anybody may read with --plain-http.")
    return PublishError(ErrorId.PUSH_SCHEME, what, where=endpoint.host, remedy=remedy)


def no_registry(endpoint: RegistryEndpoint, status: int) -> PublishError:
    """Return the error for a host that answers, but not as a registry."""
    return PublishError(
        ErrorId.PUSH_REFUSED,
        tr("no registry answers here: {url}/v2/ gives {status}", url=endpoint.url, status=status),
        where=endpoint.host,
        remedy=tr("Check host and port; Harbor's registry is on the same port as its page."),
        status=status,
    )


def _token_service(error: SourceError, endpoint: RegistryEndpoint) -> str:
    """Return the host that failed if it is not the registry itself, else ""."""
    parts = urlsplit(error.where)
    return parts.netloc if parts.scheme in _SCHEMES and parts.netloc != urlsplit(endpoint.url).netloc else ""


def _line_remedy(error: SourceError, endpoint: RegistryEndpoint) -> str:
    if realm := _token_service(error, endpoint):
        return tr(
            "Make {realm} reachable from here, by /etc/hosts if need be, or correct the address that the registry "
            "gives (Harbor: hostname or external_url in harbor.yml).",
            realm=realm,
        )
    return tr(
        "Check that the registry runs and can be reached from here; run the command again, it sends what is missing."
    )


def _tls_remedy(error: SourceError) -> str:
    if not isinstance(error, ClientCertificateError):
        return error.remedy
    return tr(
        "This server may want a client certificate, and a push shows none: push from where it wants none, or with "
        "--via docker, whose engine shows those below /etc/docker/certs.d/HOST."
    )


def _login_remedy(endpoint: RegistryEndpoint) -> str:
    return tr(
        "Run `docker login {host}`, or give --username and --password-stdin, with an account that may push "
        "there; a registry with projects says the same of a project that does not exist.",
        host=endpoint.host,
    )
