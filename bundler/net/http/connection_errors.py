"""From exceptions of the libraries to SourceError: the one place that knows those of requests and urllib3.

Owns which of them a retry may help with; refuses to show their own texts, which contain URLs with secrets.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import TYPE_CHECKING, TypeVar

import requests
import urllib3.exceptions

from bundler.errors import ErrorId, SourceError
from bundler.net.http.messages import contradicting
from bundler.net.http.slow_server import CHECK_NETWORK, GOES_ON, not_connected, silent
from bundler.net.redact import redact
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

E = TypeVar("E", bound=BaseException)

WHILE_READING = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)
# every fault of a URL or a field of a request is a ValueError of some kind
WHILE_SENDING = (*WHILE_READING, ValueError)
# a handshake that ends in the middle is a cut connection, not a question of trust
_CUT_HANDSHAKE = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and everything that it wraps, outermost first."""
    pending, seen = [error], set[int]()
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        wrapped = (*current.args, getattr(current, "reason", None), current.__cause__)
        pending.extend(inner for inner in wrapped if isinstance(inner, BaseException))


def find(error: BaseException, *kinds: type[E]) -> E | None:
    """Return the first exception of these kinds in a chain of causes."""
    return next((cause for cause in causes(error) if isinstance(cause, kinds)), None)


def trust_failure(error: BaseException) -> ssl.SSLError | None:
    """Return the failed handshake in a chain of causes, unless the connection was merely cut in its middle."""
    failed = find(error, ssl.SSLError)
    return None if isinstance(failed, _CUT_HANDSHAKE) else failed


def source_error(error: BaseException, url: str, *, idle_timeout_s: float) -> SourceError:
    """Return the error for an exception of requests, urllib3 or the socket; those about TLS trust are `tls`'s."""
    where = redact(url)
    if find(error, urllib3.exceptions.InvalidHeader):
        return contradicting(where)
    if (unread := find(error, http.client.UnknownTransferEncoding, http.client.LineTooLong)) is not None:
        coded = isinstance(unread, http.client.UnknownTransferEncoding)
        return SourceError(
            ErrorId.SOURCE_INVALID,
            tr("the answer came in a transfer coding that nobody asked for")
            if coded
            else tr("the answer's head is too long"),
            where=where,
            remedy=tr("Tell the operator of the server or of the proxy in between, or name another url or a --mirror."),
        )
    if find(error, ValueError):
        return SourceError(
            ErrorId.SOURCE_INVALID, tr("is not a URL that can be asked for"), where=where, remedy=tr("Correct the URL.")
        )
    if find(error, requests.exceptions.ProxyError, urllib3.exceptions.ProxyError):
        return _proxy_error(error, where)
    if find(error, socket.gaierror):
        return _unreachable(tr("the host's name cannot be resolved"), where)
    if find(error, urllib3.exceptions.NewConnectionError, ConnectionRefusedError):
        return _unreachable(tr("no connection: {reason}", reason=_reason(error)), where)
    if find(error, requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError):
        return not_connected(where)
    if find(error, requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
        return silent(where, idle_timeout_s)
    return SourceError(
        ErrorId.SOURCE_CUT,
        tr("the connection was cut: {reason}", reason=_reason(error)),
        where=where,
        remedy=GOES_ON,
        retryable=True,
    )


def _proxy_error(error: BaseException, where: str) -> SourceError:
    tunnel = next((str(cause) for cause in causes(error) if str(cause).startswith("Tunnel connection failed")), "")
    refused = tunnel.partition(": ")[2]
    return SourceError(
        ErrorId.SOURCE_UNREACHABLE,
        tr("the proxy refused to connect: {refused}", refused=refused)
        if refused
        else tr("the proxy cannot be reached"),
        where=where,
        remedy=tr("Check HTTP_PROXY and HTTPS_PROXY, their credentials, and NO_PROXY."),
        retryable=not refused.startswith("4"),
    )


def _unreachable(what: str, where: str) -> SourceError:
    return SourceError(ErrorId.SOURCE_UNREACHABLE, what, where=where, remedy=CHECK_NETWORK, retryable=True)


def _reason(error: BaseException | None) -> str:
    """Return the system's text, or the type of the innermost exception: neither contains a URL."""
    if error is None:
        return "unknown"
    chain = list(causes(error))
    system = next((cause.strerror for cause in chain if isinstance(cause, OSError) and cause.strerror), None)
    return system or type(chain[-1]).__name__
