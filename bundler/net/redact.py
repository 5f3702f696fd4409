"""URLs for messages: where something came from, without secrets.

Owns the decision which parts of a URL are secret; refuses to change URLs that will be requested.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

# names of query fields with secrets: OAuth tokens, signatures of AWS, Google, Azure and of CDNs
_SECRET_NAME = re.compile(r"token|sig|key|secret|pass|pwd|auth|cred|code|session|hmac|jwt|policy|ticket", re.IGNORECASE)
LONGEST_SHOWN_VALUE = 40
HIDDEN = "***"
# the scheme is bounded: otherwise the search in one long word would start again at each of its letters
_URL = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[^\s'\"<>]+", re.IGNORECASE)


def redact(url: str) -> str:
    """Return the URL without user info, fragment and the values of query fields that are or may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return re.sub(r"//[^/@]*@", "//", url.partition("?")[0])
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(_shown(field) for field in parts.query.split("&")) if parts.query else ""
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def redact_text(text: str) -> str:
    """Return a text in which every URL is redacted."""
    return _URL.sub(lambda match: redact(match[0]), text)


def _shown(field: str) -> str:
    name, equals, value = field.partition("=")
    if not equals:
        return name if len(name) <= LONGEST_SHOWN_VALUE else HIDDEN
    hide = _SECRET_NAME.search(name) or len(value) > LONGEST_SHOWN_VALUE
    return f"{name}={HIDDEN}" if hide else field
