"""A private key in a file: read, made, used. Owns its forms; refuses passwords, which belong to a token or a KMS."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bundler.durable import storage_errors
from bundler.permissions import require_private
from bundler.translation import tr
from bundler.trust.trusted_key import MAX_KEY_BYTES, TrustedKey, invalid_key

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from bundler.model.digest import Digest


class SigningKey:
    """See `Signer`; made by `read_signing_key` and `new_signing_key`."""

    def __init__(self, private: EllipticCurvePrivateKey, name: str = "") -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self._private = private
        self.key = TrustedKey(der, name)

    def sign(self, digest: Digest, text: Iterable[bytes] = ()) -> bytes:
        """Return the same signature each time: its nonce follows from key and text (RFC 6979)."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
        from cryptography.hazmat.primitives.hashes import SHA256

        del text
        algorithm = ECDSA(Prehashed(SHA256()), deterministic_signing=True)
        return self._private.sign(bytes.fromhex(digest.hex), algorithm)

    def pem(self) -> bytes:
        """Return the private key as PKCS #8 (RFC 5958), not encrypted."""
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_signing_key(name: str = "") -> SigningKey:
    """Return a new private key."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    return SigningKey(generate_private_key(SECP256R1()), name)


def read_signing_key(path: Path) -> SigningKey:
    """Read a private key from PEM: SEC 1 as `openssl ecparam -genkey` writes it, or PKCS #8.

    Raises IntegrityError (KEY_INVALID), StorageError (PERMISSIONS_TOO_OPEN among them).
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    with storage_errors(path), path.open("rb") as stream:
        status = os.fstat(stream.fileno())
        data = stream.read(MAX_KEY_BYTES)
    if b"PUBLIC KEY" in data and b"PRIVATE KEY" not in data:
        # everybody may read one: what is wrong is that it is here
        raise invalid_key(str(path), tr("a public key"))
    require_private(path, status)
    try:
        key = load_pem_private_key(data, None)
    except TypeError as error:
        got = tr("an encrypted one (`openssl pkey -in KEY -out PLAIN-KEY` asks for its password)")
        raise invalid_key(str(path), got) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise invalid_key(str(path), tr("no private key in PEM")) from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise invalid_key(str(path), tr("a private key of another kind"))
    if not isinstance(key.curve, SECP256R1):
        raise invalid_key(str(path), tr("a private key on {name}", name=key.curve.name))
    return SigningKey(key, path.stem)
