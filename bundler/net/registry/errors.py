"""Errors for a registry's refusals, with the registry's own message (distribution spec 1.1, "Error Codes").

Owns the reading of error bodies; refuses to answer challenges (`token_auth.py` does).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, SourceError
from bundler.model.json_value import load_foreign
from bundler.net.http.status import error_for_status
from bundler.net.redact import redact_text
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.net.interface import Response
    from bundler.net.registry.endpoint import RemoteRepository

MAX_ERROR_BYTES = 64 * 1024
LONGEST_QUOTE = 300
# how the words of a web page begin where a registry's own were expected
PAGE_SAYS = tr("a web page says: ")
_CODE = re.compile(r"[A-Z][A-Z_]+\b")
_UNSEEN = re.compile(r"(?is)<(script|style|title)\b.*?</\1\s*>|<[^>]*>")


def registry_error(response: Response, repository: RemoteRepository, message: str) -> SourceError:
    """Return the error for a status of 400 or above that is not about credentials.

    Arguments:
        message: the registry's own, from `quoted_errors`, or "".
    """
    error = error_for_status(response)
    host = repository.endpoint.host
    what, remedy = f"{host}: {error.what}", error.remedy
    if error.id == ErrorId.SOURCE_NOT_FOUND:
        what = tr("{host} has no such image", host=host)
        doubt = tr("Check its name, tag and digest, and that {host} is a registry.", host=host)
        remedy = tr("Check its name, tag and digest.") if message else doubt
    what = f"{what} ({message})" if message else what
    return replace(error, what=what, where=repository.where, remedy=remedy, code=first_code(message), quote=message)


def invalid(
    repository: RemoteRepository, what: str, *, retryable: bool = False, status: int | None = None
) -> SourceError:
    """Return the error for a registry that violates the protocol; `what` follows its name."""
    return SourceError(
        ErrorId.SOURCE_INVALID,
        f"{repository.endpoint.host} {what}",
        where=repository.where,
        remedy=tr("Check that the host is a registry and that no proxy answers in its place."),
        retryable=retryable,
        status=status,
    )


def first_code(message: str) -> str:
    """Return the code of the first error in a text of `quoted_errors`, or ""."""
    found = _CODE.match(message)
    return found[0] if found else ""


def quoted_errors(response: Response) -> str:
    """Read the body of a refusal; returns `CODE: message` of each error in it, printable, or "" when it has none."""
    try:
        return _quote(response.read(MAX_ERROR_BYTES))
    except SourceError:
        # too long, or cut: only the status is left
        return ""


def quoted_refusal(response: Response) -> str:
    """Read the body of a 401 or 403: as `quoted_errors`, or the words of a web page, after PAGE_SAYS.

    A firewall or a proxy answers with a page of its own in the registry's place.
    """
    try:
        body = response.read(MAX_ERROR_BYTES)
    except SourceError:
        return ""
    return _quote(body) or _page_words(body, response.headers.get("Content-Type", ""))


def _page_words(body: bytes, content_type: str) -> str:
    if not content_type.strip().lower().startswith("text/html"):
        return ""
    import html  # its table of entities takes long to load

    words = html.unescape(_UNSEEN.sub(" ", body.decode(errors="replace"))).split()
    return PAGE_SAYS + _shown(redact_text(" ".join(words))) if words else ""


def _quote(body: bytes) -> str:
    try:
        value: Any = load_foreign(body)
        errors = [(item.get("code"), item.get("message")) for item in value["errors"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    texts = [": ".join(str(part) for part in pair if part and isinstance(part, str | int)) for pair in errors]
    return _shown(redact_text("; ".join(one for one in texts if one)))


def _shown(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable if len(printable) <= LONGEST_QUOTE else f"{printable[:LONGEST_QUOTE]}…"
