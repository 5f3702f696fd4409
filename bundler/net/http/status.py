"""The error for an HTTP status. Pure: takes the head of a response, returns the error to raise. RFC 9110, 15."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.net.interface import Response

# not authenticated, or not permitted: retrying does not help
MAY_NOT = frozenset({401, 403})
_UNAUTHORIZED = MAY_NOT | {407}
_NOT_FOUND = frozenset({404, 410})
_BUSY = frozenset({408, 425, 429})
_FIRST_SERVER_ERROR = 500
# the server does not support the request, however often it is sent
_NEVER = frozenset({501, 505})


def is_success(status: int) -> bool:
    """Tell whether a request was done, in whatever form its server says so (RFC 9110, 15.3)."""
    return 200 <= status < 300


def error_for_status(response: Response) -> SourceError:
    """Return the error for a response whose status the caller cannot use; its body is not read."""
    status, where = response.status, response.url
    what = tr("the server answered {phrase}", phrase=_phrase(status))
    if status in _UNAUTHORIZED:
        return SourceError(
            ErrorId.SOURCE_UNAUTHORIZED,
            what,
            where=where,
            remedy=tr("Give credentials for this host (`docker login`, or ~/.netrc for files), or check their rights."),
            status=status,
        )
    if status in _NOT_FOUND:
        return SourceError(
            ErrorId.SOURCE_NOT_FOUND,
            what,
            where=where,
            remedy=tr("Check the name and the version in the manifest."),
            status=status,
        )
    if status in _BUSY or (status >= _FIRST_SERVER_ERROR and status not in _NEVER):
        return SourceError(
            ErrorId.SOURCE_BUSY,
            what,
            where=where,
            remedy=tr("Try again later, or name a mirror with --mirror."),
            retryable=True,
            retry_after_s=retry_after_s(response.headers),
            status=status,
        )
    return SourceError(
        ErrorId.SOURCE_REFUSED,
        what,
        where=where,
        remedy=tr("Open the URL by hand to see what the server wants."),
        status=status,
    )


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks to wait (RFC 9110, 10.2.3), or None.

    A date is compared with the response's own Date, never with the local clock, which may be wrong.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    until, now = http_date_s(text), http_date_s(headers.get("Date", ""))
    if until is None or now is None:
        return None
    return float(max(0, until - now))


def http_date_s(text: str) -> int | None:
    """Return an HTTP date (RFC 9110, 5.6.7) as seconds since the epoch, None for anything else or before 1970."""
    try:
        moment = parsedate_to_datetime(text)
        seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if seconds >= 0 else None


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
