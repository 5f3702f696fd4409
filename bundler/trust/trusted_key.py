"""A public key, and whether a signature is its: ECDSA on P-256 with SHA-256 (FIPS 186-5), DER, as openssl writes it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError
from bundler.model.signature_name import KEY_ID_CHARACTERS
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.model.digest import Digest

MAX_KEY_BYTES = 64 * 1024
WANTED_KEY = tr("an ECDSA key on the curve P-256 (prime256v1)")
_LINE_CHARACTERS = 64
_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----\s+(?P<base64>[A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----")
_LABEL = re.compile(rb"-----BEGIN (?P<label>[A-Z0-9 ]+)-----")


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key; two are equal when their bytes are, whatever they are called.

    Arguments:
        der: its SubjectPublicKeyInfo (RFC 5480, 2).
        name: what people call it; "" where nobody has named it.
    """

    der: bytes
    name: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """The first digits of the SHA-256 of its bytes."""
        return hashlib.sha256(self.der).hexdigest()[:KEY_ID_CHARACTERS]

    @property
    def title(self) -> str:
        """Its name and its id, for people."""
        return f"{self.name} ({self.id})" if self.name else self.id

    @property
    def pem(self) -> bytes:
        """The same as PEM (RFC 7468, 13)."""
        text = base64.b64encode(self.der)
        lines = (text[at : at + _LINE_CHARACTERS] for at in range(0, len(text), _LINE_CHARACTERS))
        return b"\n".join((b"-----BEGIN PUBLIC KEY-----", *lines, b"-----END PUBLIC KEY-----", b""))

    def verifies(self, digest: Digest, signature: bytes) -> bool:
        """Tell whether a signature is this key's, of whatever has this SHA-256."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        key = load_der_public_key(self.der)
        if not isinstance(key, EllipticCurvePublicKey):
            raise TypeError("a trusted key is one of an elliptic curve")
        try:
            key.verify(signature, bytes.fromhex(digest.hex), ECDSA(Prehashed(SHA256())))
        except InvalidSignature:
            return False
        return True


def parse_public_key(data: bytes, *, where: str, name: str = "") -> TrustedKey:
    """Read a public key from PEM.

    Arguments:
        where: its file, for messages.
        name: what people call it.

    Raises IntegrityError (KEY_INVALID) for anything but one key on P-256 in the form that openssl writes.
    """
    found = [match["base64"] for match in _PEM.finditer(data)]
    if len(found) != 1:
        label = _LABEL.search(data)
        others = (
            tr("PEM with {decode}", decode=label["label"].decode())
            if label and not found
            else tr("{count} public keys", count=len(found))
        )
        raise invalid_key(where, others if data.strip() else tr("an empty file"))
    try:
        der = base64.b64decode(b"".join(found[0].split()), validate=True)
    except binascii.Error as error:
        raise invalid_key(where, tr("no base64: {error}", error=error)) from error
    if problem := _problem(der):
        raise invalid_key(where, problem)
    return TrustedKey(der, name)


def _problem(der: bytes) -> str:
    """Return why these bytes are no public key of ours, or ""."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as error:
        return tr("none that can be read: {error}", error=error)
    if not isinstance(key, EllipticCurvePublicKey):
        return tr("a key of another kind")
    if not isinstance(key.curve, SECP256R1):
        return tr("a key on {name}", name=key.curve.name)
    # one key has one id: a compressed point or written-out parameters would give it another
    same = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == der
    return "" if same else tr("it in another form than openssl writes by itself")


def invalid_key(where: str, got: str) -> IntegrityError:
    """Return the error for a file that is no key of ours."""
    return IntegrityError(
        ErrorId.KEY_INVALID,
        tr("is no key that can be used"),
        where=where,
        remedy=tr(
            "Make a pair with `bundler keygen`, or with `openssl ecparam -name prime256v1 -genkey`; its public half is "
            "what `openssl ec -pubout` prints."
        ),
        want=WANTED_KEY,
        got=got,
    )
