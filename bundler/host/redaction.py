"""Texts without the secrets in them, for screens, logs and whoever helps. Pure.

Takes out too much rather than too little: private keys, tokens of KubeEdge and of Kubernetes, values of keys that are
called password, secret, token or auth, logins in URLs, and Authorization fields.
"""

from __future__ import annotations

import re

REMOVED = "(removed)"
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
# a token of KubeEdge is the digest of an authority before a JSON web token; RFC 7519, 3
_TOKEN = re.compile(r"(?:\b[0-9a-f]{64}\.)?\beyJ[\w-]*(?:\.[\w-]*){1,2}")
_KEYED = re.compile(
    r"""(?P<key>["']?[\w.-]*(?:passw(?:or)?d|passphrase|secret|token|auth|key-data|credential)[\w.-]*["']?\s*[:=]\s*)"""
    r"""(?P<value>"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\s,}\]]+)""",
    re.IGNORECASE,
)
_HEADER = re.compile(r"(?P<name>\bauthorization\s*:\s*)[^\r\n]+", re.IGNORECASE)
_LOGIN = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^\s/@'\"]+@", re.IGNORECASE)
_FLAG = re.compile(r"(?P<flag>--?(?:password|passwd|token|secret)[ =])\S+", re.IGNORECASE)
# what says nothing of a secret although its key sounds like it
_HARMLESS = re.compile(r"""["']?(?:true|false|null|none|\d+|/[\w./-]*|)["']?""", re.IGNORECASE)


def redacted(text: str) -> str:
    """Return a text without secrets."""
    text = _PRIVATE_KEY.sub(REMOVED, text)
    text = _HEADER.sub(rf"\g<name>{REMOVED}", text)
    text = _TOKEN.sub(REMOVED, text)
    text = _LOGIN.sub(rf"\g<scheme>{REMOVED}@", text)
    text = _FLAG.sub(rf"\g<flag>{REMOVED}", text)
    return _KEYED.sub(_without_value, text)


def _without_value(match: re.Match[str]) -> str:
    if _HARMLESS.fullmatch(match["value"]):
        return match[0]
    return f'{match["key"]}"{REMOVED}"'
