"""Public keys that packages and metadata may be signed with.

Owns reading key files, a key's ids and user id, how long it was valid, and the armored form for `yum/RPM-GPG-KEY-*`.
Refuses to verify: what a key file says about its own keys (expiry, revocation, subkeys) is believed, because anybody
who can change the file can replace the keys as well; gpgv checks those self-signatures again where it is used.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.rpm.signing.armor import PUBLIC_KEY, armor, armored_labels, dearmor
from bundler.rpm.signing.openpgp import Packet, SignatureType, Tag, parse_key, parse_signature, read_packets
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.rpm.signing.openpgp import SignaturePacket

# Debian's whole archive keyring is a tenth of that
MAX_KEYS_BYTES = 1 << 20
_LEFT_OUT = (Tag.TRUST, Tag.MARKER, Tag.PADDING)
_SELF_SIGNATURES = (SignatureType.SUBKEY_BINDING, SignatureType.DIRECT_KEY)
_REVOCATIONS = (SignatureType.KEY_REVOCATION, SignatureType.SUBKEY_REVOCATION)


_OLD_ALGORITHMS = frozenset({"RSA", "DSA"})


@dataclass(frozen=True, slots=True)
class KeyPart:
    """A primary key or a subkey.

    Arguments:
        key_id: 16 lower-case hex digits. fingerprint: lower-case hex.
        algorithm: RSA, DSA, EdDSA …
        created: seconds since 1970. expires: seconds since 1970, or None for never.
        revoked: whether its owner has withdrawn it, for whatever reason.
    """

    key_id: str
    fingerprint: str
    algorithm: str
    created: int
    expires: int | None = None
    revoked: bool = False

    def fault_at(self, seconds: int) -> str:
        """Return why its signatures of that time do not count, or ""."""
        if self.revoked:
            return tr("key {key_id} is revoked", key_id=self.key_id)
        if seconds < self.created:
            return tr("key {key_id} was only made on {created}", key_id=self.key_id, created=day(self.created))
        if self.expires is not None and seconds >= self.expires:
            return tr("key {key_id} expired on {expires}", key_id=self.key_id, expires=day(self.expires))
        return ""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key with its subkeys; `parts[0]` is the primary key, `packets` all of it without armor."""

    parts: tuple[KeyPart, ...]
    user_id: str
    packets: bytes

    @property
    def fingerprint(self) -> str:
        """Of the primary key, lower-case hex."""
        return self.parts[0].fingerprint

    @property
    def armored(self) -> bytes:
        """The key as a file for `rpm --import`; equal keys give equal bytes."""
        return armor(self.packets, PUBLIC_KEY)

    def __str__(self) -> str:
        return f"{self.parts[0].key_id} ({self.user_id})" if self.user_id else self.parts[0].key_id

    def fault_at(self, part: KeyPart, seconds: int) -> str:
        """Return why this part's signatures of that time do not count, or ""; a subkey needs a valid primary key."""
        return part.fault_at(seconds) or self.parts[0].fault_at(seconds)


def read_keys(data: bytes, where: str) -> tuple[PublicKey, ...]:
    """Return all keys of a file: armored, in one or several blocks, or binary.

    Arguments:
        data: the file's bytes, at most 1 MiB.
        where: its URL or path, for messages.

    Raises SourceError (rpm-key-unreadable) when it holds no key, one that cannot be read, or a secret one.
    """
    try:
        if len(data) > MAX_KEYS_BYTES:
            raise ValueError(
                tr(
                    "{count} bytes are too many for a key file, at most {max_keys_bytes} are read",
                    count=len(data),
                    max_keys_bytes=MAX_KEYS_BYTES,
                )
            )
        return tuple(key for block in _blocks(data) for key in _keys(block))
    except ValueError as error:
        raise SourceError(
            ErrorId.RPM_KEY_UNREADABLE,
            tr("is no OpenPGP public key: {error}", error=error),
            where=where,
            remedy=tr("Open the URL in a browser and compare; give the address of the vendor's RPM-GPG-KEY file."),
        ) from error


def find_part(keys: Sequence[PublicKey], signature: SignaturePacket) -> tuple[PublicKey, KeyPart] | None:
    """Return the key, and its part, that a signature names as its issuer; None when it is not among them.

    Of several copies of one key (vendors publish a new one when its expiry moves) a revoked one counts first, then one
    that was valid when the signature was made.
    """
    copies = [(key, part) for key in keys for part in key.parts if _made(signature, part)]
    revoked = [(key, part) for key, part in copies if part.revoked or key.parts[0].revoked]
    good = [(key, part) for key, part in copies if not key.fault_at(part, signature.created)]
    return next(iter((*revoked, *good, *copies)), None)


def old_rpm_fault(key_id: str, keys: Sequence[PublicKey]) -> str:
    """Return why rpm 4.11 (EL7) cannot check what a key has signed, or ""; it knows primary keys with RSA or DSA alone.

    (rpm 4.11's rpmio/rpmpgp.c and lib/rpmkeyring.c.)
    """
    for key in keys:
        for part in key.parts:
            if part.key_id != key_id:
                continue
            if part.algorithm not in _OLD_ALGORITHMS:
                return tr("{key_id} is a key with {algorithm}", key_id=part.key_id, algorithm=part.algorithm)
            if part != key.parts[0]:
                return tr("{key_id} is a subkey of {key}", key_id=part.key_id, key=key)
    return ""


def _made(signature: SignaturePacket, part: KeyPart) -> bool:
    if signature.fingerprint:
        return part.fingerprint == signature.fingerprint
    return part.key_id == signature.key_id


def day(seconds: int) -> str:
    """Return a time (seconds since 1970) as YYYY-MM-DD in UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).date().isoformat()


def _blocks(data: bytes) -> tuple[bytes, ...]:
    labels = armored_labels(data)
    if any("PRIVATE" in label for label in labels):
        raise ValueError(tr("it holds a secret key, which must not leave its owner"))
    if PUBLIC_KEY in labels:
        return dearmor(data, PUBLIC_KEY)
    if labels:
        raise ValueError(tr("it holds a {labels} instead", labels=labels[0]))
    if not data or not data[0] & 0x80:
        raise ValueError(tr("it holds neither an armored block nor packets"))
    return (data,)


def _keys(block: bytes) -> list[PublicKey]:
    """Split packets where primary keys begin."""
    groups: list[list[Packet]] = []
    for packet in read_packets(block):
        if packet.tag == Tag.SECRET_KEY:
            raise ValueError(tr("it holds a secret key, which must not leave its owner"))
        if packet.tag == Tag.PUBLIC_KEY:
            groups.append([])
        if packet.tag not in _LEFT_OUT:
            if not groups:
                raise ValueError(tr("it begins with a packet of type {tag} instead of a key", tag=packet.tag))
            groups[-1].append(packet)
    if not groups:
        raise ValueError(tr("it is empty"))
    return [_key(group) for group in groups]


def _key(group: Sequence[Packet]) -> PublicKey:
    parts: list[KeyPart] = []
    stated_at: list[int] = []
    user_id = ""
    for packet in group:
        if packet.tag in (Tag.PUBLIC_KEY, Tag.PUBLIC_SUBKEY):
            key = parse_key(packet.body)
            parts.append(KeyPart(key.key_id, key.fingerprint, key.algorithm, key.created))
            stated_at.append(-1)
        elif packet.tag == Tag.USER_ID:
            user_id = user_id or "".join(filter(str.isprintable, packet.body.decode(errors="replace")))
        elif packet.tag == Tag.SIGNATURE and packet.body[:1] in (b"\x03", b"\x04", b"\x06"):
            signature = parse_signature(packet.body)
            if signature.key_id in ("", parts[0].key_id):
                parts[-1], stated_at[-1] = _applied(parts[-1], stated_at[-1], signature)
    return PublicKey(tuple(parts), user_id, b"".join(packet.raw for packet in group))


def _applied(part: KeyPart, stated_at: int, signature: SignaturePacket) -> tuple[KeyPart, int]:
    """Return the part before a self-signature, changed as that says: the newest one determines the expiry."""
    if signature.type in _REVOCATIONS:
        return replace(part, revoked=True), stated_at
    certifies = SignatureType.CERTIFICATION_FIRST <= signature.type <= SignatureType.CERTIFICATION_LAST
    if not (certifies or signature.type in _SELF_SIGNATURES) or signature.created < stated_at:
        return part, stated_at
    lifetime = signature.key_lifetime_s
    return replace(part, expires=part.created + lifetime if lifetime else None), signature.created
