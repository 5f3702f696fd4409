"""What an engine's words about a push that failed mean. Pure.

Owns the reading of them: all that an engine passes on is a text, in the terms of Go's HTTP client and of distribution's
registry client (its errcode package writes a registry's code in small letters, with spaces for underscores).
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from bundler.errors import ErrorId, SourceError
from bundler.model.reference import DEFAULT_HOST
from bundler.net.redact import redact_text

_CODES = (
    "BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DENIED", "DIGEST_INVALID", "FORBIDDEN",
    "MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "MANIFEST_UNVERIFIED", "NAME_INVALID",
    "NAME_UNKNOWN", "PRECONDITION", "SIZE_INVALID", "TAG_INVALID", "TOOMANYREQUESTS", "UNAUTHORIZED", "UNAVAILABLE",
    "UNKNOWN", "UNSUPPORTED",
)  # fmt: skip
_SPOKEN = {code.lower().replace("_", " "): code for code in _CODES}
_CODE = re.compile(rf"(?:^|: )({'|'.join(sorted(_SPOKEN, key=len, reverse=True))})(?=:|$)", re.MULTILINE)
_STATUS = re.compile(r"\bHTTP(?: status:?| code)? ([1-5]\d\d)\b", re.IGNORECASE)
# Go's url.Error: the method, and what was asked in quotation marks
_ASKED = re.compile(r'\b(?:Get|Head|Post|Put|Patch) "(https?://([^/"?@]+))[/"?]')
# Go's net.OpError and net.DNSError
_LOOKED_UP = re.compile(r"\blookup ([^\s:]+)(?: on |:)")
_DIALLED = re.compile(r"\bdial tcp (\S+):(\d+): ")
_TRUST = ("x509:", "http response to https client", "remote error: tls", "tls: ")
_NOBODY = ("connection refused", "no such host", "no route to host", "network is unreachable", "server misbehaving")
_CUT = (
    "eof", "connection reset", "broken pipe", "timeout", "deadline exceeded", "request canceled", "closed network",
    "connection closed", "server closed", "stream error",
)  # fmt: skip
_BUSY_CODES, _WHO_CODES = ("TOOMANYREQUESTS", "UNAVAILABLE"), ("UNAUTHORIZED", "DENIED", "FORBIDDEN")
_BUSY, _UNAUTHORIZED, _SERVER_FAULT = 429, (401, 403), 500


def refused_push(said: str, where: str) -> SourceError:
    """Return the error for what an engine said, retryable for 429, 5xx and lost connections.

    Arguments:
        said: its text; secrets of URLs in it are not told.
        where: the name that was pushed to; where the engine failed at another host (a token service), that is named.
    """
    low = said.lower()
    found, told = _CODE.search(low), _STATUS.search(said)
    code, status = _SPOKEN[found[1]] if found else "", int(told[1]) if told else None
    id_, remedy, retryable = _meaning(said, code, status)
    where = _elsewhere(said, where.partition("/")[0]) or where
    return SourceError(
        id_, f"the engine could not push it: {redact_text(said.strip())}", where=where, remedy=remedy,
        retryable=retryable, status=status, code=code, quote=said,
    )  # fmt: skip


def _elsewhere(said: str, host: str) -> str:
    """Return what the engine spoke to where that is certainly another than the registry `HOST[:PORT]`, else ""."""
    if host == DEFAULT_HOST:
        # which answers under names of its own
        return ""
    asked = list(_ASKED.finditer(said))
    # of nested ones the innermost is what failed
    if asked and asked[-1][2] != host:
        return f"{asked[-1][1]}/"
    name, _, port = host.rpartition(":") if host.rpartition(":")[2].isdigit() else (host, "", "")
    if (looked_up := _LOOKED_UP.search(said)) is not None:
        return f"tcp://{looked_up[1]}/" if looked_up[1] != name else ""
    if (dialled := _DIALLED.search(said)) is not None:
        # an address says nothing of a registry that is known by name
        other = port not in ("", dialled[2]) or (_is_address(name) and dialled[1] != name)
        return f"tcp://{dialled[1]}:{dialled[2]}/" if other else ""
    return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_distrust(said: str) -> bool:
    """Tell whether words are about a registry's certificate, or about its having none."""
    low = said.lower()
    return any(words in low for words in _TRUST) and not any(words in low for words in _CUT)


def _meaning(said: str, code: str, status: int | None) -> tuple[ErrorId, str, bool]:
    """Return id, remedy and whether the same may well succeed a little later."""
    low = said.lower()
    again = "Run the command again; it sends what is missing."
    if code in _BUSY_CODES or status == _BUSY or (status is not None and status >= _SERVER_FAULT):
        return ErrorId.SOURCE_BUSY, again, True
    if code in _WHO_CODES or status in _UNAUTHORIZED or "no basic auth credentials" in low:
        return ErrorId.SOURCE_UNAUTHORIZED, "Log in with an account that may push there.", False
    if code:
        return ErrorId.SOURCE_INVALID, "See what the registry says.", False
    if any(words in low for words in _NOBODY):
        return ErrorId.SOURCE_UNREACHABLE, again, True
    if is_distrust(said):
        remedy = (
            "Tell the engine to trust it (insecure-registries in /etc/docker/daemon.json, or its authority below "
            "/etc/docker/certs.d), or push with --via registry, which no engine has to know of."
        )
        return ErrorId.SOURCE_TLS, remedy, False
    if any(words in low for words in _CUT):
        return ErrorId.SOURCE_CUT, again, True
    return ErrorId.SOURCE_INVALID, "See what the engine says.", False
