"""The request target (RFC 9112, 3.2) -> a path that the site can be asked for. Pure; everything odd is refused here."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote_to_bytes

MAX_TARGET_BYTES = 8192
_MAX_QUERY_FIELDS = 16
_ABSOLUTE = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# what RFC 3986 has no place for in a target: controls, blanks, everything that is not ASCII
_BAD_BYTE = re.compile(rb"[\x00-\x20\x7f]")


class RequestTarget(NamedTuple):
    """What a request asks for.

    Arguments:
        path: decoded, without slashes at its ends and without empty segments; "" is the top.
        is_directory: whether it ended with a slash.
        query: as it came, without the question mark.
    """

    path: str
    is_directory: bool
    query: str

    def fields(self) -> dict[str, str]:
        """Return the query's fields; of equal names the last counts, what cannot be read is left out."""
        try:
            return dict(parse_qsl(self.query, max_num_fields=_MAX_QUERY_FIELDS))
        except ValueError:
            return {}

    @property
    def directory_url(self) -> str:
        """The target with a slash at its path's end: where a client is sent that left it out."""
        return f"/{quote(self.path, safe='/@')}/" + (f"?{self.query}" if self.query else "")


def parse_target(raw: bytes) -> RequestTarget | None:
    """Return what a target in origin or absolute form asks for, or None for one that nobody may send.

    `.` and `..` are kept as they are: no file has such a name, so they lead nowhere. Names that are not UTF-8, and NUL
    in any encoding, are refused.
    """
    if not raw.startswith(b"/"):
        absolute = _ABSOLUTE.match(raw)
        if absolute is None:
            return None
        raw = raw[absolute.end() :] or b"/"
    before, _, query = raw.partition(b"#")[0].partition(b"?")
    if _BAD_BYTE.search(raw) or _BAD_ESCAPE.search(before):
        return None
    try:
        decoded = unquote_to_bytes(before).decode("utf-8")
        query_text = query.decode("ascii")
    except UnicodeDecodeError:
        return None
    if "\0" in decoded:
        return None
    path = "/".join(segment for segment in decoded.split("/") if segment)
    return RequestTarget(path, decoded.endswith("/"), query_text)
