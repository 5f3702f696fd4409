"""The site's own authority and the certificates that it issues; and whether a certificate serves at all.

The only part of `site` that knows the library. Bytes in, bytes out, all of them PEM; refuses to know where they lie.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

AUTHORITY_DAYS = 7300
CERTIFICATE_DAYS = 3650
# what ends within these is made anew
RENEWED_DAYS = 30
# clocks of edges may be behind
BEGINS_EARLIER = timedelta(days=1)
_MAX_COMMON_NAME = 64


@dataclass(frozen=True, slots=True)
class CertificateSummary:
    """What a person wants to know of a certificate. `sha256` is its fingerprint, in hex."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    begin: datetime
    end: datetime
    sha256: str


def new_key() -> bytes:
    """Return a new private key, P-256."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def is_key(data: bytes | None) -> bool:
    """Tell whether this is a private key of ours."""
    try:
        return data is not None and bool(_signing_key(data))
    except ValueError:
        return False


def new_authority(key: bytes, name: str, now_s: float) -> bytes:
    """Return the certificate of an authority that signs with a key. Raises ValueError for a key that is none."""
    from cryptography import x509

    private, subject = _signing_key(key), _named(name)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = _certificate(subject, subject, private, now_s, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return _signed(builder.add_extension(usage, critical=True), private)


def issued(authority: bytes, authority_key: bytes, key: bytes, names: Sequence[str], now_s: float) -> bytes:
    """Return a server's certificate for host names and addresses, the first of which names it.

    Raises ValueError for an authority or a key that is none.
    """
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    issuer, private, server = _loaded(authority), _signing_key(authority_key), _signing_key(key)
    left_days = (issuer.not_valid_after_utc - datetime.fromtimestamp(now_s, UTC)).days
    builder = _certificate(_named(names[0]), issuer.subject, server, now_s, max(1, min(CERTIFICATE_DAYS, left_days)))
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(private.public_key())
    builder = (
        builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(issuer_key, critical=False)
    )
    return _signed(builder, private)


def summary(certificate: bytes) -> CertificateSummary:
    """Describe the first certificate of a file. Raises ValueError."""
    from cryptography.hazmat.primitives import hashes

    loaded = _loaded(certificate)
    return CertificateSummary(
        loaded.subject.rfc4514_string(),
        loaded.issuer.rfc4514_string(),
        tuple(sorted(_names_in(loaded))),
        loaded.not_valid_before_utc,
        loaded.not_valid_after_utc,
        loaded.fingerprint(hashes.SHA256()).hex(),
    )


def certificate_problems(
    certificate: bytes | None, key: bytes | None, names: Sequence[str], now_s: float, *, authority: bytes | None = None
) -> tuple[str, ...]:
    """Return why a pair does not serve under these names, a phrase each; () where it does.

    Arguments:
        names: host names and addresses that clients use.
        authority: which it is to be issued by; None where that does not matter.
    """
    if certificate is None or key is None:
        return (tr("the certificate is missing") if certificate is None else tr("the private key is missing"),)
    try:
        loaded, private = _loaded(certificate), _public_key(key)
        signer = _loaded(authority) if authority is not None else None
    except ValueError as error:
        return (str(error),)
    now = datetime.fromtimestamp(now_s, UTC)
    problems = []
    if _encoded(loaded.public_key()) != _encoded(private):
        problems.append(tr("the private key is another certificate's"))
    if loaded.not_valid_before_utc > now:
        problems.append(
            tr(
                "it is valid from {not_valid_before_utc:%Y-%m-%d} on only",
                not_valid_before_utc=loaded.not_valid_before_utc,
            )
        )
    if loaded.not_valid_after_utc <= now:
        problems.append(
            tr("it was valid until {not_valid_after_utc:%Y-%m-%d}", not_valid_after_utc=loaded.not_valid_after_utc)
        )
    there = _names_in(loaded)
    if missing := [name for name in names if not any(_covers(known, name) for known in there)]:
        problems.append(tr("it is not for {missing}", missing=", ".join(missing)))
    if signer is not None and not _is_issued_by(loaded, signer):
        problems.append(tr("it was issued by another authority"))
    return tuple(problems)


def ends_soon(certificate: bytes, now_s: float) -> bool:
    """Tell whether a certificate is to be made anew. Raises ValueError."""
    return _loaded(certificate).not_valid_after_utc <= datetime.fromtimestamp(now_s, UTC) + timedelta(days=RENEWED_DAYS)


def is_own_authority(certificate: bytes) -> bool:
    """Tell whether a certificate vouches for itself, so that who trusts it needs no other. Raises ValueError."""
    loaded = _loaded(certificate)
    return loaded.issuer == loaded.subject and _is_issued_by(loaded, loaded)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, now_s: float, days: int
) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.fromtimestamp(now_s, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BEGINS_EARLIER)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _signed(builder: x509.CertificateBuilder, key: EllipticCurvePrivateKey) -> bytes:
    from cryptography.hazmat.primitives import hashes, serialization

    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _named(name: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_MAX_COMMON_NAME])])


def _general_name(name: str) -> x509.GeneralName:
    from cryptography import x509

    address = _address(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _names_in(certificate: x509.Certificate) -> set[str]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        # clients look at the common name no more
        return set()
    return {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}


def _covers(known: str, name: str) -> bool:
    """Tell whether a name in a certificate stands for a client's (RFC 6125, 6.4.3: a wildcard is one whole label)."""
    if (address := _address(name)) is not None:
        return _address(known) == address
    known, name = known.lower(), name.lower()
    return known == name or (known.startswith("*.") and "." in name and known[2:] == name.partition(".")[2])


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _is_issued_by(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _loaded(certificate: bytes) -> x509.Certificate:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(certificate)[0]
    except (ValueError, IndexError) as error:
        raise ValueError(tr("the certificate cannot be read: it is no PEM")) from error


def _public_key(key: bytes) -> CertificatePublicKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(key, None).public_key()  # type: ignore[return-value] # of a certificate, compared
    except TypeError as error:
        raise ValueError(tr("the private key is encrypted, and Harbor cannot ask for its passphrase")) from error
    except Exception as error:
        raise ValueError(tr("the private key cannot be read: it is no PEM")) from error


def _signing_key(key: bytes) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        loaded = load_pem_private_key(key, None)
    except (ValueError, TypeError) as error:
        raise ValueError(tr("the private key cannot be read: it is no PEM")) from error
    if not isinstance(loaded, EllipticCurvePrivateKey):
        raise ValueError(tr("the private key is not of an elliptic curve"))
    return loaded


def _encoded(key: CertificatePublicKeyTypes) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
