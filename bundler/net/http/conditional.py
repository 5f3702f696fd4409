"""Requesting a document only if it has changed: which fields to send, which responses count. Pure. RFC 9110, 13."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bundler.net.http.attempt import strong_validator
from bundler.net.interface import Validators

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_MODIFIED = 304
_WEAK = "W/"
# longer ones are not meant to be sent back
MAX_ETAG_CHARACTERS = 1024


def place_of(url: str) -> str:
    """Return the digest that represents a URL in `Validators`."""
    return hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()


def validators_of(url: str, headers: Mapping[str, str]) -> Validators | None:
    """Return the validators that a response 200 to a request for `url` has for later conditions, or None.

    A tag may be weak: If-None-Match compares weakly (13.1.2). A date counts only without a tag, and only when it is old
    enough to identify these bytes alone (8.8.2.2).
    """
    tag = headers.get("ETag", "").strip()
    if _is_tag(tag):
        return Validators(place_of(url), etag=tag)
    date = "" if tag else strong_validator(headers)
    return Validators(place_of(url), last_modified=date) if date else None


def conditions(validators: Validators, url: str) -> dict[str, str]:
    """Return the fields that make a request for `url` conditional; none for validators of another place."""
    if validators.place != place_of(url):
        return {}
    if _is_tag(validators.etag):
        return {"If-None-Match": validators.etag}
    return {"If-Modified-Since": validators.last_modified} if validators.last_modified else {}


def confirms(headers: Mapping[str, str], validators: Validators) -> bool:
    """Tell whether a 304 confirms the bytes that the validators identify, and not others of the server.

    Its validators have to be the earlier ones (15.4.5); otherwise a server that finds an older file "not modified
    since" would be believed.
    """
    tag, date = headers.get("ETag", "").strip(), headers.get("Last-Modified", "").strip()
    if validators.etag:
        return not tag or tag.removeprefix(_WEAK) == validators.etag.removeprefix(_WEAK)
    return not date or date == validators.last_modified


def _is_tag(text: str) -> bool:
    opaque = text.removeprefix(_WEAK)
    quoted = len(opaque) >= len('""') and opaque[0] == opaque[-1] == '"'
    return quoted and len(text) <= MAX_ETAG_CHARACTERS and text.isascii() and text.isprintable()
