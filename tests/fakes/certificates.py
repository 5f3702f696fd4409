"""Certificates for tests: an authority, and certificates of servers and clients signed by it."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path

YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority; `file` holds its certificate as PEM."""

    file: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def server_context(
        self,
        *hosts: str,
        begin: datetime | None = None,
        end: datetime | None = None,
        clients: Authority | None = None,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> ssl.SSLContext:
        """Return the TLS context of a server with a certificate for these names or addresses.

        Arguments:
            clients: whose certificates its clients have to show.
            newest: the newest version of TLS that it speaks.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_file(*hosts, begin=begin, end=end))
        context.maximum_version = newest
        if clients is not None:
            context.load_verify_locations(clients.file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def server_file(self, *hosts: str, begin: datetime | None = None, end: datetime | None = None) -> Path:
        """Return a PEM file of a certificate for these names or addresses, and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [_general_name(host) for host in hosts]
        certificate = (
            _builder(hosts[0], self.certificate.subject, key, begin, end)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        file = self.file.with_name(f"{self.file.stem}-{certificate.serial_number}.pem")
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        file.chmod(0o600)
        return file

    def client_files(self, name: str, *, passphrase: bytes = b"") -> tuple[Path, Path]:
        """Return PEM files of a client's certificate and its key; the key is encrypted when there is a passphrase."""
        key = ec.generate_private_key(ec.SECP256R1())
        signed = _builder(name, self.certificate.subject, key, None, None).sign(self.key, hashes.SHA256())
        certificate, key_file = (self.file.with_name(f"{name}.{kind}.pem") for kind in ("cert", "key"))
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        encryption = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        key_file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
        )
        key_file.chmod(0o600)
        return certificate, key_file


def authority(directory: Path, name: str = "Site Test Root") -> Authority:
    """Make an authority whose files lie in a directory of the test's."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(name, None, key, None, None)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = directory / f"{name.replace(' ', '-')}.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(file, key, certificate)


def _builder(
    name: str, issuer: x509.Name | None, key: ec.EllipticCurvePrivateKey, begin: datetime | None, end: datetime | None
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin or now - YEAR)
        .not_valid_after(end or now + YEAR)
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
