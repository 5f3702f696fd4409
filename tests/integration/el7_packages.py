"""Packages as EL7's rpm 4.11 made and signed them, rewritten from today's.

No digest of the payload stands in the header; the signature header holds a V3 RSA signature over the header
(RSAHEADER), a V3 RSA signature over header and payload (PGP), SHA-1 of the header and MD5 of both. Today's rpmbuild
and gpg make neither, so both are made here: the header without what newer versions put in, the signature packets as
RFC 4880 section 5.2.2 has them.
"""

from __future__ import annotations

import datetime as dt
import struct
import time
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from tests.fakes.rpm_layout import (
    ENCODING,
    PAYLOAD_DIGEST,
    PAYLOAD_DIGEST_ALGORITHM,
    PAYLOAD_DIGEST_PLAIN,
    REGION_IMMUTABLE,
    SIG_PAYLOAD_SIZE,
    SIG_PGP,
    SIG_RSA_HEADER,
    SIG_SHA256,
    Parts,
    binary,
    read_header,
    take_apart,
    write_header,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.integration.signing_keys import SigningKey

NEWER_THAN_EL7 = {PAYLOAD_DIGEST, PAYLOAD_DIGEST_ALGORITHM, PAYLOAD_DIGEST_PLAIN, ENCODING}
_HASHES: Mapping[str, tuple[int, type[hashes.HashAlgorithm]]] = {
    "md5": (1, hashes.MD5),
    "sha1": (2, hashes.SHA1),
    "sha256": (8, hashes.SHA256),
    "sha512": (10, hashes.SHA512),
}


def without_payload_digest(parts: Parts) -> Parts:
    """Return the package as rpm before 4.14 would have built it, with no signature."""
    entries, _ = read_header(parts.header, 0)
    header = write_header([entry for entry in entries if entry.tag not in NEWER_THAN_EL7], REGION_IMMUTABLE)
    kept = tuple(entry for entry in parts.signatures if entry.tag == SIG_PAYLOAD_SIZE)
    return Parts(parts.lead, kept, header, parts.payload).with_digests().without_signatures(SIG_SHA256)


def el7_shape(path: Path, key: SigningKey | None, *, digest: str = "sha256", at: str = "") -> Path:
    """Rewrite a package in place into EL7's shape and sign it; return its path.

    Arguments:
        key: an RSA key; None leaves the package unsigned.
        digest: hash of the signatures: md5, sha1, sha256 or sha512.
        at: YYYY-MM-DD, when the signatures claim to be made (noon, UTC); "" for now.
    """
    seconds = int(dt.datetime.fromisoformat(f"{at}T12:00+00:00").timestamp() if at else time.time())
    parts = without_payload_digest(take_apart(path.read_bytes()))
    if key:
        header = v3_signature(key, parts.header, digest=digest, at=seconds)
        both = v3_signature(key, parts.header + parts.payload, digest=digest, at=seconds)
        parts = parts.with_signatures(binary(SIG_RSA_HEADER, header), binary(SIG_PGP, both))
    path.write_bytes(parts.joined())
    return path


def v3_signature(key: SigningKey, data: bytes, *, digest: str, at: int) -> bytes:
    """Return a version 3 signature packet over bytes (RFC 4880 section 5.2.2)."""
    number, algorithm = _HASHES[digest]
    hashed = b"\x00" + struct.pack(">I", at)
    hasher = hashes.Hash(algorithm())
    hasher.update(data + hashed)
    value = hasher.finalize()
    signature = _secret(key).sign(value, padding.PKCS1v15(), utils.Prehashed(algorithm()))
    body = b"\x03\x05" + hashed + bytes.fromhex(key.key_id) + bytes([1, number]) + value[:2] + _mpi(signature)
    return b"\x89" + struct.pack(">H", len(body)) + body


def _mpi(value: bytes) -> bytes:
    number = int.from_bytes(value, "big")
    return struct.pack(">H", number.bit_length()) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _secret(key: SigningKey) -> rsa.RSAPrivateKey:
    """Read the primary RSA key out of gpg's export, which is not encrypted (RFC 4880 sections 5.5.3, 3.2)."""
    packets = key.home.gpg("--export-secret-keys", key.fingerprint)
    assert packets[0] == 0x95, "want a secret key packet with a length of two bytes"
    assert packets[3] == 4
    assert packets[8] == 1, "want an RSA key"
    numbers, at = [], 9
    for index in range(6):
        at += 1 if index == 2 else 0  # the byte between public and secret numbers: not encrypted
        size = (struct.unpack_from(">H", packets, at)[0] + 7) // 8
        numbers.append(int.from_bytes(packets[at + 2 : at + 2 + size], "big"))
        at += 2 + size
    n, e, d, p, q, _ = numbers
    public = rsa.RSAPublicNumbers(e, n)
    return rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    ).private_key()
