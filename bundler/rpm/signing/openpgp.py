"""OpenPGP packets, as far as keys and signatures of RPM repositories need them (RFC 9580; RFC 4880 for version 3).

Owns the issuer, time and algorithms of a signature, and the ids of a key packet. Refuses to verify anything: rpm-rs and
gpgv do. Every function raises ValueError for other bytes than those it reads.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tag(IntEnum):
    """Packet types (section 5)."""

    SIGNATURE = 2
    SECRET_KEY = 5
    PUBLIC_KEY = 6
    MARKER = 10
    TRUST = 12
    USER_ID = 13
    PUBLIC_SUBKEY = 14
    PADDING = 21


class SignatureType(IntEnum):
    """Signature types (section 5.2.1)."""

    BINARY = 0x00
    CERTIFICATION_FIRST = 0x10
    CERTIFICATION_LAST = 0x13
    SUBKEY_BINDING = 0x18
    DIRECT_KEY = 0x1F
    KEY_REVOCATION = 0x20
    SUBKEY_REVOCATION = 0x28


# section 9.5; names as hashlib has them, where it has the hash
HASHES = {1: "md5", 2: "sha1", 8: "sha256", 9: "sha384", 10: "sha512", 11: "sha224", 12: "sha3-256", 14: "sha3-512"}
# section 9.1
ALGORITHMS = {1: "RSA", 2: "RSA", 3: "RSA", 16: "Elgamal", 17: "DSA", 18: "ECDH", 19: "ECDSA", 22: "EdDSA"} | {
    25: "X25519",
    26: "X448",
    27: "Ed25519",
    28: "Ed448",
}
_CREATED, _KEY_LIFETIME, _ISSUER, _ISSUER_FINGERPRINT = 2, 9, 16, 33
# section 3.5
_TIME_BYTES = 4


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet; `raw` is its bytes with the header, `tag` any number, known or not."""

    tag: int
    body: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class SignaturePacket:
    """What a signature says about itself.

    Arguments:
        type: section 5.2.1. algorithm, hash_name: names, or `algorithm N`.
        created: seconds since 1970.
        key_id: of the issuer, 16 lower-case hex digits; "" when absent.
        fingerprint: of the issuer, lower-case hex; "" when absent.
        key_lifetime_s: for self-signatures: how long after its creation the key is valid; 0 is for ever.
    """

    version: int
    type: int
    algorithm: str
    hash_name: str
    created: int
    key_id: str
    fingerprint: str = ""
    key_lifetime_s: int = 0


@dataclass(frozen=True, slots=True)
class KeyPacket:
    """What a public key or subkey packet says about itself (section 5.5.2); ids and fingerprint as in section 5.5.4."""

    version: int
    algorithm: str
    created: int
    key_id: str
    fingerprint: str


def read_packets(data: bytes) -> Iterator[Packet]:
    """Yield the packets of a transferable key or of detached signatures (section 4.2); no partial lengths."""
    at = 0
    while at < len(data):
        tag, header, length = _packet_header(data, at)
        end = at + header + length
        if end > len(data):
            raise ValueError(
                tr(
                    "a packet of type {tag} is cut short: {count} of {header} bytes",
                    tag=tag,
                    count=len(data) - at,
                    header=header + length,
                )
            )
        yield Packet(tag, data[at + header : end], data[at:end])
        at = end


def parse_signature(body: bytes) -> SignaturePacket:
    """Read a signature packet of version 3, 4 or 6 (sections 5.2.2 and 5.2.3)."""
    try:
        return _signature(body)
    except (struct.error, IndexError) as error:
        raise ValueError(tr("a signature is cut short")) from error


def parse_key(body: bytes) -> KeyPacket:
    """Read a public key or subkey packet of version 4 or 6."""
    if len(body) < 6:
        raise ValueError(tr("a key is cut short"))
    version, created, algorithm = struct.unpack_from(">BIB", body)
    if version == 4:
        hashed = b"\x99" + struct.pack(">H", len(body)) + body
        fingerprint = hashlib.sha1(hashed, usedforsecurity=False).hexdigest()
        key_id = fingerprint[-16:]
    elif version == 6:
        fingerprint = hashlib.sha256(b"\x9b" + struct.pack(">I", len(body)) + body).hexdigest()
        key_id = fingerprint[:16]
    else:
        raise ValueError(tr("keys of version {version} are not supported, only of versions 4 and 6", version=version))
    return KeyPacket(version, _named(ALGORITHMS, algorithm), created, key_id, fingerprint)


def _named(names: dict[int, str], number: int) -> str:
    return names.get(number, tr("algorithm {number}", number=number))


def _packet_header(data: bytes, at: int) -> tuple[int, int, int]:
    """Return type, length of the header, and length of the body (sections 4.2.1 and 4.2.2)."""
    first = data[at]
    if not first & 0x80:
        raise ValueError(tr("these are no OpenPGP packets"))
    try:
        if first & 0x40:
            size, length = _new_length(data, at + 1)
            return first & 0x3F, 1 + size, length
        size = 1 << (first & 3)
        if size == 8:
            raise ValueError(tr("a packet has no length"))
        return (first >> 2) & 0x0F, 1 + size, int.from_bytes(_exactly(data, at + 1, size), "big")
    except IndexError as error:
        raise ValueError(tr("a packet is cut short")) from error


def _new_length(data: bytes, at: int) -> tuple[int, int]:
    """Return how many bytes a length takes, and the length; packets and subpackets have the same three forms."""
    first = data[at]
    if first < 192:
        return 1, first
    if first < 224:
        return 2, ((first - 192) << 8) + data[at + 1] + 192
    if first < 255:
        raise ValueError(tr("a packet has a partial length"))
    return 5, int.from_bytes(_exactly(data, at + 1, 4), "big")


def _exactly(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise IndexError(at)
    return data[at : at + size]


def _signature(body: bytes) -> SignaturePacket:
    version = body[0]
    if version == 3:
        kind, created, key_id, algorithm, digest = struct.unpack_from(">xxBI8sBB", body)
        names = _named(ALGORITHMS, algorithm), _named(HASHES, digest)
        return SignaturePacket(version, kind, *names, created, key_id.hex())
    if version not in (4, 6):
        raise ValueError(
            tr("signatures of version {version} are not supported, only of versions 3, 4 and 6", version=version)
        )
    kind, algorithm, digest = struct.unpack_from(">xBBB", body)
    count = 2 if version == 4 else 4
    hashed, at = _area(body, 4, count)
    unhashed, _ = _area(body, at, count)
    if _CREATED not in hashed:
        raise ValueError(tr("a signature does not tell when it was made"))
    # version 6 puts the version of the key before the fingerprint too, and has no ids (section 5.2.3.35)
    fingerprint = (hashed.get(_ISSUER_FINGERPRINT) or unhashed.get(_ISSUER_FINGERPRINT, b""))[1:].hex()
    issuer = (hashed.get(_ISSUER) or unhashed.get(_ISSUER, b"")).hex()
    names = _named(ALGORITHMS, algorithm), _named(HASHES, digest)
    return SignaturePacket(
        version,
        kind,
        *names,
        created=_seconds(hashed[_CREATED]),
        key_id=issuer or (fingerprint[:16] if version == 6 else fingerprint[-16:]),
        fingerprint=fingerprint,
        key_lifetime_s=_seconds(hashed.get(_KEY_LIFETIME, bytes(_TIME_BYTES))),
    )


def _seconds(value: bytes) -> int:
    if len(value) != _TIME_BYTES:
        raise ValueError(tr("a time takes {time_bytes} bytes, not {count}", time_bytes=_TIME_BYTES, count=len(value)))
    return int.from_bytes(value, "big")


def _area(body: bytes, at: int, count: int) -> tuple[dict[int, bytes], int]:
    """Return the subpackets of the area at an offset, the first of each type, and where it ends (section 5.2.3.7)."""
    size = int.from_bytes(_exactly(body, at, count), "big")
    area = _exactly(body, at + count, size)
    found: dict[int, bytes] = {}
    inside = 0
    while inside < size:
        width, length = _subpacket_length(area, inside)
        subpacket = _exactly(area, inside + width, length)
        # the highest bit marks a subpacket as critical
        found.setdefault(subpacket[0] & 0x7F, subpacket[1:])
        inside += width + length
    return found, at + count + size


def _subpacket_length(area: bytes, at: int) -> tuple[int, int]:
    first = area[at]
    if 192 <= first < 255:
        return 2, ((first - 192) << 8) + area[at + 1] + 192
    return _new_length(area, at)
