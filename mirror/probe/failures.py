"""What can go wrong on the way to a mirror, worded for an operator. Pure: builds errors, raises none."""

from __future__ import annotations

import socket
import ssl

from bundler.errors import ErrorId, SourceError
from bundler.translation import tr

_CHECK = tr(
    "Check that the mirror runs (`mirror service status` there), its address and port, and the firewall between."
)
_CUT_HANDSHAKE = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def unreachable(where: str, what: str) -> SourceError:
    """Return the error for a connection that did not come about."""
    return SourceError(ErrorId.SOURCE_UNREACHABLE, what, where=where, remedy=_CHECK, retryable=True)


def silent(where: str, seconds: float) -> SourceError:
    """Return the error for a mirror that stopped answering."""
    what = tr("the mirror was silent for {seconds:g} s", seconds=seconds)
    return SourceError(ErrorId.SOURCE_TIMEOUT, what, where=where, remedy=_CHECK, retryable=True)


def cut(where: str, what: str) -> SourceError:
    """Return the error for a connection that ended too early."""
    return SourceError(
        ErrorId.SOURCE_CUT, tr("the connection was cut: {what}", what=what), where=where, remedy=_CHECK, retryable=True
    )


def untrusted(where: str, error: ssl.SSLError) -> SourceError:
    """Return the error for a failed handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = tr(
            "the certificate is not trusted: {verify_message}", verify_message=error.verify_message or error.reason
        )
    else:
        what = tr("TLS failed: {replace}", replace=(error.reason or tr("handshake failed")).replace("_", " ").lower())
    remedy = tr("Give the PEM file of the authority that signed the mirror's certificate with --ca-file.")
    return SourceError(ErrorId.SOURCE_TLS, what, where=where, remedy=remedy)


def busy(where: str, answer: str) -> SourceError:
    """Return the error for what cannot be served at the moment: absent or changed on the mirror's disk, or overload."""
    return SourceError(
        ErrorId.SOURCE_BUSY,
        tr("the mirror cannot serve it now ({answer})", answer=answer),
        where=where,
        remedy=tr("Ask the mirror's /-/health and its log: a file that is absent or changed on disk is answered so."),
        retryable=True,
    )


def absent(where: str, answer: str) -> SourceError:
    """Return the error for a file that the mirror does not have."""
    remedy = tr("Check that the URL is that of the bundle's root, and which bundle the mirror serves there.")
    return SourceError(
        ErrorId.SOURCE_NOT_FOUND, tr("there is no such file ({answer})", answer=answer), where=where, remedy=remedy
    )


def unauthorized(where: str, answer: str) -> SourceError:
    """Return the error for a mirror that wants another name and password."""
    return SourceError(
        ErrorId.SOURCE_UNAUTHORIZED,
        tr("the mirror asks for a name and a password, or refuses those given ({answer})", answer=answer),
        where=where,
        remedy=tr("Give --user NAME with the password in MIRROR_PASSWORD, or both in ~/.netrc."),
    )


def refused(where: str, answer: str) -> SourceError:
    """Return the error for any other answer than the file."""
    remedy = tr("Look into the mirror's log, and for a proxy in between.")
    return SourceError(
        ErrorId.SOURCE_REFUSED, tr("the mirror refuses it ({answer})", answer=answer), where=where, remedy=remedy
    )


def from_system(error: OSError | EOFError, where: str, *, idle_s: float, connecting: bool) -> SourceError:
    """Return what an exception of the socket or TLS layer means."""
    if isinstance(error, ssl.SSLError) and not isinstance(error, _CUT_HANDSHAKE):
        return untrusted(where, error)
    if isinstance(error, socket.gaierror):
        return unreachable(where, tr("the host's name cannot be resolved"))
    if isinstance(error, TimeoutError):
        return unreachable(where, tr("no connection came about in time")) if connecting else silent(where, idle_s)
    reason = (error.strerror if isinstance(error, OSError) else "") or type(error).__name__
    return unreachable(where, tr("no connection: {reason}", reason=reason)) if connecting else cut(where, reason)
