"""The error for an engine's message about a failed push. Pure.

Owns the reading of messages: an engine passes on only a text, in the terms of Go's HTTP client and of distribution's
registry client (its errcode package writes a registry's code in small letters, with spaces for underscores).
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from bundler.errors import ErrorId, SourceError
from bundler.model.reference import DEFAULT_HOST
from bundler.net.redact import redact_text
from bundler.translation import tr

_CODES = (
    "BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DENIED", "DIGEST_INVALID", "FORBIDDEN",
    "MANIFEST_BLOB_UNKNOWN", "MANIFEST_INVALID", "MANIFEST_UNKNOWN", "MANIFEST_UNVERIFIED", "NAME_INVALID",
    "NAME_UNKNOWN", "PRECONDITION", "SIZE_INVALID", "TAG_INVALID", "TOOMANYREQUESTS", "UNAUTHORIZED", "UNAVAILABLE",
    "UNKNOWN", "UNSUPPORTED",
)  # fmt: skip
_CODE_OF_TEXT = {code.lower().replace("_", " "): code for code in _CODES}
_CODE = re.compile(rf"(?:^|: )({'|'.join(sorted(_CODE_OF_TEXT, key=len, reverse=True))})(?=:|$)", re.MULTILINE)
_STATUS = re.compile(r"\bHTTP(?: status:?| code)? ([1-5]\d\d)\b", re.IGNORECASE)
# Go's url.Error: the method, and the URL in quotation marks
_REQUESTED = re.compile(r'\b(?:Get|Head|Post|Put|Patch) "(https?://([^/"?@]+))[/"?]')
# Go's net.OpError and net.DNSError
_LOOKED_UP = re.compile(r"\blookup ([^\s:]+)(?: on |:)")
_DIALLED = re.compile(r"\bdial tcp (\S+):(\d+): ")
_TRUST = ("x509:", "http response to https client", "remote error: tls", "tls: ")
_UNREACHABLE = (
    "connection refused",
    "no such host",
    "no route to host",
    "network is unreachable",
    "server misbehaving",
)
_CUT = (
    "eof", "connection reset", "broken pipe", "timeout", "deadline exceeded", "request canceled", "closed network",
    "connection closed", "server closed", "stream error",
)  # fmt: skip
_BUSY_CODES, _LOGIN_CODES = ("TOOMANYREQUESTS", "UNAVAILABLE"), ("UNAUTHORIZED", "DENIED", "FORBIDDEN")
_BUSY, _UNAUTHORIZED, _SERVER_FAULT = 429, (401, 403), 500


def refused_push(message: str, where: str) -> SourceError:
    """Return the error for an engine's message, retryable for 429, 5xx and lost connections.

    Arguments:
        message: its text; secrets of URLs in it are not shown.
        where: the name that was pushed to; if the engine failed at another host (a token service), that is named.
    """
    low = message.lower()
    found_code, found_status = _CODE.search(low), _STATUS.search(message)
    code = _CODE_OF_TEXT[found_code[1]] if found_code else ""
    status = int(found_status[1]) if found_status else None
    id_, remedy, retryable = _meaning(message, code, status)
    where = _other_host(message, where.partition("/")[0]) or where
    return SourceError(
        id_, tr("the engine could not push it: {message}", message=redact_text(message.strip())),
        where=where, remedy=remedy,
        retryable=retryable, status=status, code=code, quote=message,
    )  # fmt: skip


def _other_host(message: str, host: str) -> str:
    """Return the URL of the host that failed if it is certainly not the registry `HOST[:PORT]`, else ""."""
    if host == DEFAULT_HOST:
        # its registry has other names
        return ""
    requested = list(_REQUESTED.finditer(message))
    # of nested errors the innermost is the one that failed
    if requested and requested[-1][2] != host:
        return f"{requested[-1][1]}/"
    name, _, port = host.rpartition(":") if host.rpartition(":")[2].isdigit() else (host, "", "")
    if (looked_up := _LOOKED_UP.search(message)) is not None:
        return f"tcp://{looked_up[1]}/" if looked_up[1] != name else ""
    if (dialled := _DIALLED.search(message)) is not None:
        # an address says nothing about a registry that has a name
        other = port not in ("", dialled[2]) or (_is_address(name) and dialled[1] != name)
        return f"tcp://{dialled[1]}:{dialled[2]}/" if other else ""
    return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_distrust(message: str) -> bool:
    """Tell whether a message is about a registry's certificate, or about its lack of TLS."""
    low = message.lower()
    return any(text in low for text in _TRUST) and not any(text in low for text in _CUT)


def _meaning(message: str, code: str, status: int | None) -> tuple[ErrorId, str, bool]:
    """Return id, remedy and whether a retry may help."""
    low = message.lower()
    again = tr("Run the command again; it sends what is missing.")
    if code in _BUSY_CODES or status == _BUSY or (status is not None and status >= _SERVER_FAULT):
        return ErrorId.SOURCE_BUSY, again, True
    if code in _LOGIN_CODES or status in _UNAUTHORIZED or "no basic auth credentials" in low:
        return ErrorId.SOURCE_UNAUTHORIZED, tr("Log in with an account that may push there."), False
    if code:
        return ErrorId.SOURCE_INVALID, tr("See what the registry says."), False
    if any(text in low for text in _UNREACHABLE):
        return ErrorId.SOURCE_UNREACHABLE, again, True
    if is_distrust(message):
        remedy = tr(
            "Tell the engine to trust it (insecure-registries in /etc/docker/daemon.json, or its authority below "
            "/etc/docker/certs.d), or push with --via registry, which no engine has to know of."
        )
        return ErrorId.SOURCE_TLS, remedy, False
    if any(text in low for text in _CUT):
        return ErrorId.SOURCE_CUT, again, True
    return ErrorId.SOURCE_INVALID, tr("See what the engine says."), False
