"""What a registry's refusal means to the operator, in the registry's own words (distribution spec 1.1, "Error Codes").

Owns the reading of error bodies; refuses to answer challenges (`token_auth.py` does).
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, SourceError
from bundler.net.http.status import error_for_status
from bundler.net.redact import redact_text

if TYPE_CHECKING:
    from bundler.net.interface import Answer
    from bundler.net.registry.endpoint import Repository

MAX_ERROR_BYTES = 64 * 1024
LONGEST_QUOTE = 300
_CODE = re.compile(r"[A-Z][A-Z_]+\b")


def registry_error(answer: Answer, repository: Repository, said: str) -> SourceError:
    """Return the error for an answer of 400 or above that asks for no credentials.

    Arguments:
        said: the registry's own words, from `quoted_errors`, or "".
    """
    error = error_for_status(answer)
    host = repository.endpoint.host
    what, remedy = f"{host}: {error.what}", error.remedy
    if error.id == ErrorId.SOURCE_NOT_FOUND:
        what = f"{host} has no such image"
        remedy = f"Check its name, tag and digest{'' if said else f', and that {host} is a registry'}."
    what = f"{what} ({said})" if said else what
    return replace(error, what=what, where=repository.where, remedy=remedy, code=first_code(said), quote=said)


def invalid(repository: Repository, what: str, *, retryable: bool = False, status: int | None = None) -> SourceError:
    """Return the error for a registry that does not keep to the protocol; `what` follows its name."""
    return SourceError(
        ErrorId.SOURCE_INVALID,
        f"{repository.endpoint.host} {what}",
        where=repository.where,
        remedy="Check that the host is a registry and that no proxy answers in its place.",
        retryable=retryable,
        status=status,
    )


def first_code(said: str) -> str:
    """Return the code of the first error that `quoted_errors` told, or ""."""
    found = _CODE.match(said)
    return found[0] if found else ""


def quoted_errors(answer: Answer) -> str:
    """Read the body of a refusal; returns `CODE: message` of each error in it, printable, or "" when it holds none."""
    try:
        return _quote(answer.read(MAX_ERROR_BYTES))
    except SourceError:
        # too long, or cut: the status alone has to tell
        return ""


def _quote(body: bytes) -> str:
    try:
        value: Any = json.loads(body)
        errors = [(item.get("code"), item.get("message")) for item in value["errors"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    told = [": ".join(str(part) for part in pair if part) for pair in errors]
    text = redact_text("; ".join(one for one in told if one))
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable if len(printable) <= LONGEST_QUOTE else f"{printable[:LONGEST_QUOTE]}…"
