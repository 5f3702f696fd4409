"""The listener's certificate: made for one run, known by its SHA-256 alone, so that dates and names mean nothing."""

from __future__ import annotations

import hashlib
import secrets
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from bundler.durable import storage_errors

_NAME = "bundler site invite"
# whoever has the code trusts it whatever the time is, on a clock in 1970 too
_BEGIN, _END = datetime(1970, 1, 2, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ListenerCertificate:
    """A certificate whose key nobody else has.

    Arguments:
        sha256: of the certificate (DER).
        context: shows it to clients of TLS 1.2 or later.
    """

    sha256: bytes
    context: ssl.SSLContext


def new_certificate() -> ListenerCertificate:
    """Make a key and a certificate. Raises StorageError where no temporary file can be written."""
    from cryptography import x509  # takes long to load
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGIN)
        .not_valid_after(_END)
        .sign(key, hashes.SHA256())
    )
    passphrase = secrets.token_bytes(32).hex()
    encryption = serialization.BestAvailableEncryption(passphrase.encode())
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
    return ListenerCertificate(
        hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest(), _context(pem, passphrase)
    )


def _context(pem: bytes, passphrase: str) -> ssl.SSLContext:
    """Return the context; ssl reads keys from files only, and what it reads is of use to nobody else."""
    import tempfile  # takes long to load

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # a client comes once
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    with storage_errors(tempfile.gettempdir()), tempfile.NamedTemporaryFile() as file:
        file.write(pem)
        file.flush()
        context.load_cert_chain(file.name, password=passphrase)
    return context
