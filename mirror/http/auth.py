"""The Authorization field's Basic credentials (RFC 7617). Pure."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

REALM = 'Basic realm="mirror", charset="UTF-8"'
_MAX_CHARACTERS = 4096


class BasicCredentials(NamedTuple):
    """A name and a password, as a client gave them."""

    name: str
    password: bytes


def basic_credentials(field: str | None) -> BasicCredentials | None:
    """Return what a client says it is, or None when it says nothing that can be read."""
    if field is None or len(field) > _MAX_CHARACTERS:
        return None
    scheme, _, encoded = field.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return BasicCredentials(name.decode("utf-8"), password) if colon else None
    except (binascii.Error, ValueError):
        return None
