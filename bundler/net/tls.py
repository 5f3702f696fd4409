"""Whom to trust, and what to say when that fails.

Owns TLS contexts and the text of a TLS failure (the issuer seen, a clock that is off); refuses to send requests.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.net.redact import redact
from bundler.net.redirect import origin

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

HANDSHAKE_TIMEOUT_S = 10.0


def trusting_context(ca_file: str | None) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities and those of a PEM file.

    Where the system has none at all (a slim container), those that come with requests stand in.
    Raises SourceError when the PEM file cannot be used.
    """
    context = ssl.create_default_context()
    if not _system_has_authorities():
        import certifi

        context.load_verify_locations(certifi.where())
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise SourceError(
                ErrorId.SOURCE_TLS,
                f"is not a file of certificates: {error.strerror or error}",
                where=ca_file,
                remedy="Give --ca-file a readable file of PEM certificates (-----BEGIN CERTIFICATE-----).",
            ) from error
    return context


def trusting_anybody() -> ssl.SSLContext:
    """Return a context for hosts that the operator declared insecure, and for looking at a certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def tls_error(error: ssl.SSLError, url: str, *, now: datetime, direct: bool) -> SourceError:
    """Return what to tell about a failed handshake; never retryable.

    Arguments:
        now: the local clock, aware.
        direct: the host is reached without a proxy, so that its certificate can be looked at.
    """
    where = redact(url)
    if not isinstance(error, ssl.SSLCertVerificationError):
        reason = (error.reason or "handshake failed").replace("_", " ").lower()
        return SourceError(
            ErrorId.SOURCE_TLS,
            f"TLS failed: {reason}",
            where=where,
            remedy="Check that the host and the port speak TLS, and the proxy in between.",
        )
    what = f"the certificate is not trusted: {error.verify_message or error.reason}"
    certificate = _seen_certificate(url) if direct else None
    if certificate is None:
        return SourceError(ErrorId.SOURCE_TLS, what, where=where, remedy=_REMEDY)
    what += f"; its issuer is {certificate.issuer.rfc4514_string()}"
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if begin <= now <= end:
        return SourceError(ErrorId.SOURCE_TLS, what, where=where, remedy=_REMEDY)
    what += f"; it is valid from {_moment(begin)} to {_moment(end)}, and the local clock says {_moment(now)}"
    return SourceError(
        ErrorId.SOURCE_TLS,
        what,
        where=where,
        remedy="Set the clock of this host if it is wrong; otherwise the server needs a new certificate.",
    )


_REMEDY = (
    "If a proxy or a private authority signs here, trust its certificate with --ca-file; otherwise do not go on: "
    "somebody may be listening."
)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _seen_certificate(url: str) -> Certificate | None:
    """Shake hands once more without any check, only to see the certificate."""
    from cryptography.x509 import load_der_x509_certificate

    _, host, port = origin(url)
    with (
        suppress(OSError, ValueError),
        socket.create_connection((host, port), timeout=HANDSHAKE_TIMEOUT_S) as plain,
        trusting_anybody().wrap_socket(plain, server_hostname=host) as wrapped,
    ):
        shown = wrapped.getpeercert(binary_form=True)
        return load_der_x509_certificate(shown) if shown else None
    return None


def _system_has_authorities() -> bool:
    from pathlib import Path

    places = ssl.get_default_verify_paths()
    if places.cafile:
        return True
    return places.capath is not None and any(Path(places.capath).iterdir())
