"""Which certificates to trust, and the error when that fails.

Owns TLS contexts, client certificates in them, and the text of a TLS failure (the issuer seen, a wrong clock); refuses
to send requests.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.net.http.redirect import origin
from bundler.net.redact import redact
from bundler.permissions import require_private, require_protected
from bundler.translation import tr

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from bundler.net.http.client_certs import ClientCertificate

HANDSHAKE_TIMEOUT_S = 10.0


class ClientCertificateError(SourceError):
    """The server wants a client certificate, or another one than it was shown."""


def trusting_context(ca_file: str | None) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities and those of a PEM file.

    Where the system has none at all (a slim container), those that come with requests are used.
    Raises SourceError when the PEM file cannot be used, StorageError when everybody may write to it.
    """
    context = ssl.create_default_context()
    if not _system_has_authorities():
        import certifi

        context.load_verify_locations(certifi.where())
    if ca_file:
        require_protected(ca_file)
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise SourceError(
                ErrorId.SOURCE_TLS,
                tr("is not a file of certificates: {reason}", reason=error.strerror or error),
                where=ca_file,
                remedy=tr("Give --ca-file a readable file of PEM certificates (-----BEGIN CERTIFICATE-----)."),
            ) from error
    return context


def present(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """Make a context present a client certificate to servers that request one.

    Raises ValueError, with a text for a person, when the files cannot be read, do not belong together, or need a
    passphrase: a build has nobody to ask. Raises StorageError when others may write to them, or read the key.
    """
    for path in (certificate.certificate, certificate.key):
        try:
            path.open("rb").close()
        except OSError as error:
            raise ValueError(tr("{path} cannot be read: {reason}", path=path, reason=error.strerror)) from error

    def refuse() -> str:
        raise ValueError(
            tr(
                "{key} wants a passphrase, and a build has nobody to ask: give a key without one "
                "(openssl pkey -in KEY -out PLAIN-KEY), readable by you alone",
                key=certificate.key,
            )
        )

    try:
        context.load_cert_chain(certificate.certificate, certificate.key, password=refuse)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            what = tr(
                "the key in {key} does not belong to the certificate in {certificate}",
                key=certificate.key,
                certificate=certificate.certificate,
            )
        elif certificate.certificate == certificate.key:
            what = tr(
                "{certificate} does not hold a certificate and its private key, both PEM",
                certificate=certificate.certificate,
            )
        else:
            what = tr(
                "{certificate} holds no certificate, or {key} no private key, both PEM",
                certificate=certificate.certificate,
                key=certificate.key,
            )
        raise ValueError(what) from error
    # only now: what is no key may be read by everybody
    require_protected(certificate.certificate)
    require_private(certificate.key)
    # Apache requests the certificate for a single directory only after it has read the request (RFC 8446, 4.6.2)
    context.post_handshake_auth = True


def check_presentable(certificate: ClientCertificate) -> None:
    """Raise ValueError, with a text for a person, when `present` would."""
    present(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate)


def trusting_anybody() -> ssl.SSLContext:
    """Return a context for hosts that the operator declared insecure, and for inspecting a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def tls_error(
    error: ssl.SSLError, url: str, *, now: datetime, direct: bool, shown: ClientCertificate | None = None
) -> SourceError:
    """Return the error for a failed handshake; never retryable.

    Arguments:
        now: the local time, with its zone.
        direct: the host is reached without a proxy, so that its certificate can be inspected.
        shown: the client certificate that was presented if the server requested one.
    """
    where = redact(url)
    if not isinstance(error, ssl.SSLCertVerificationError):
        if (error.reason or "").endswith(_ABOUT_CLIENTS):
            return _refused_client(error, where, shown)
        reason = (error.reason or tr("handshake failed")).replace("_", " ").lower()
        return SourceError(
            ErrorId.SOURCE_TLS,
            tr("TLS failed: {reason}", reason=reason),
            where=where,
            remedy=tr("Check that the host and the port speak TLS, and the proxy in between."),
        )
    if error.verify_code in _OTHER_NAME:
        return SourceError(
            ErrorId.SOURCE_TLS,
            tr("the certificate is for another name: {verify_message}", verify_message=error.verify_message),
            where=where,
            remedy=tr(
                "Ask the server by a name that its certificate has, or have it given one for this name; more "
                "authorities to trust would not help. If the name is right, somebody else may be answering."
            ),
        )
    what = tr("the certificate is not trusted: {verify_message}", verify_message=error.verify_message or error.reason)
    certificate = _seen_certificate(url) if direct else None
    if certificate is None:
        return SourceError(ErrorId.SOURCE_TLS, what, where=where, remedy=_REMEDY)
    what += tr("; its issuer is {issuer}", issuer=certificate.issuer.rfc4514_string())
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if begin <= now <= end:
        return SourceError(ErrorId.SOURCE_TLS, what, where=where, remedy=_REMEDY)
    what += tr(
        "; it is valid from {begin} to {end}, and the local clock says {now}",
        begin=_moment(begin),
        end=_moment(end),
        now=_moment(now),
    )
    return SourceError(
        ErrorId.SOURCE_TLS,
        what,
        where=where,
        remedy=tr("Set the clock of this host if it is wrong; otherwise the server needs a new certificate."),
    )


# X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH (openssl's x509_vfy.h)
_OTHER_NAME = (62, 64)
_REMEDY = tr(
    "If a proxy or a private authority signs here, trust its certificate with --ca-file; otherwise do not go on: "
    "somebody may be listening."
)


# Alerts of a server that wants a client certificate, or another one than it got (RFC 8446, 6.2). Up to TLS 1.2 a
# missing one is a handshake failure, which may have other reasons too.
_ABOUT_CLIENTS = (
    "ALERT_CERTIFICATE_REQUIRED",
    "ALERT_HANDSHAKE_FAILURE",
    "ALERT_UNKNOWN_CA",
    "ALERT_BAD_CERTIFICATE",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_CERTIFICATE_REVOKED",
    "ALERT_CERTIFICATE_EXPIRED",
    "ALERT_CERTIFICATE_UNKNOWN",
    "ALERT_ACCESS_DENIED",
)


def _refused_client(error: ssl.SSLError, where: str, shown: ClientCertificate | None) -> ClientCertificateError:
    alert = error.reason.partition("ALERT_")[2].replace("_", " ").lower()
    if shown is None:
        what = tr("the server refused the TLS handshake, as one does that wants a client certificate")
        remedy = tr(
            "Show it one with --client-cert https://HOST/=CERT.pem,KEY.pem, or ask its operator whom it lets in."
        )
    else:
        what = tr("the server refused the client certificate {certificate}", certificate=shown.certificate)
        remedy = tr(
            "Ask its operator which certificate it wants, and give that one: --client-cert {prefix}=…",
            prefix=shown.prefix,
        )
    return ClientCertificateError(ErrorId.SOURCE_TLS, f"{what} ({alert})", where=where, remedy=remedy)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _seen_certificate(url: str) -> Certificate | None:
    """Connect once more without verification, only to see the certificate."""
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
