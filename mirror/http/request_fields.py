"""The header fields of one request that anything here depends on. Pure: what is ambiguous is refused, never guessed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# name and value of each, as they came
RequestFields = list[tuple[bytes, bytes]]
MAX_FIELDS = 100
MAX_HEAD_BYTES = 32 * 1024
# RFC 9110, 4.2.2: host and port; no user, no blanks, nothing that a page or a log could be deceived with
_AUTHORITY = re.compile(rb"(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?")
_ONCE = frozenset(
    {b"host", b"content-length", b"authorization", b"range", b"if-range", b"expect", b"transfer-encoding"}
)


class BadRequestError(Exception):
    """A request that has no one meaning; `status` is what to answer, and the connection ends."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


def read_fields(raw: Sequence[tuple[bytes, bytes]], *, http_1_1: bool) -> dict[bytes, str]:
    """Return lower-case name -> value; of fields that are lists, the values are joined by a comma (RFC 9110, 5.3).

    Raises BadRequestError: no Host or a malformed one (RFC 9112, 3.2), a field twice that may come once, a length
    together with a transfer coding (RFC 9112, 6.1), a coding other than chunked.
    """
    fields: dict[bytes, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.lower(), raw_value.decode("latin-1")
        if name in fields:
            if name in _ONCE:
                raise BadRequestError(400, f"{name.decode('latin-1')} comes twice")
            value = f"{fields[name]}, {value}"
        fields[name] = value
    host = fields.get(b"host")
    if host is None and http_1_1:
        raise BadRequestError(400, "there is no Host field")
    if host and not is_authority(host.encode("latin-1")):
        raise BadRequestError(400, "the Host field is malformed")
    if b"transfer-encoding" in fields:
        if b"content-length" in fields or not http_1_1:
            raise BadRequestError(400, "a transfer coding where none may be")
        if fields[b"transfer-encoding"].strip(" \t").lower() != "chunked":
            raise BadRequestError(501, "a transfer coding that is not known here")
    return fields


def is_authority(value: bytes) -> bool:
    """Tell whether this is a host with or without a port, as a Host field has it."""
    return _AUTHORITY.fullmatch(value) is not None


def host_name(authority: str) -> str:
    """Return the host of a Host field without its port, and an IPv6 address without brackets."""
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition(":")[0]
