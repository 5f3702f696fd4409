"""Which of a package's signatures decides, and whether it counts before anything is computed. Pure.

Owns the choice among signatures and keys, and the words of the refusals; refuses to verify (`signature.py` does).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError
from bundler.rpm.signing.keys import KeyPart, PublicKey, day, find_part
from bundler.rpm.signing.openpgp import SignaturePacket, SignatureType, Tag, parse_signature, read_packets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bundler.rpm.signing.rpm_file import RpmFile

_ACCEPTED_HASHES = frozenset({"sha1", "sha224", "sha256", "sha384", "sha512", "sha3-256", "sha3-512"})
_REMEDY_BAD = "Fetch it again; if it stays so, it was tampered with or damaged upstream: do not use it."


@dataclass(frozen=True, slots=True)
class Candidate:
    """A signature whose key is known; `covers_payload` tells the two ways of `signature.py` apart."""

    packet: bytes
    told: SignaturePacket
    key: PublicKey
    part: KeyPart
    covers_payload: bool


def choose(rpm: RpmFile, keys: Sequence[PublicKey], where: str) -> Candidate:
    """Return the signature of a package that decides: of those that cover the payload, in one way or the other, the
    first whose key is known, and one over the header first.

    Raises IntegrityError (rpm-unsigned, rpm-key-unknown, rpm-signature-bad).
    """
    over_header = _told(rpm.header_signatures, where) if rpm.payload_digest else []
    over_all = _told(rpm.package_signatures, where)
    found = known(over_header, keys, covers_payload=False) or known(over_all, keys, covers_payload=True)
    if found is not None:
        return found
    if over_header or over_all:
        raise unknown_key([signature for _, signature in (*over_header, *over_all)], keys, where)
    if rpm.header_signatures:
        what = "its signature covers only the header, and no strong digest of the payload stands there"
        raise bad_signature(where, what, "a signature that covers the payload", "none")
    raise IntegrityError(
        ErrorId.RPM_UNSIGNED,
        "the package is not signed",
        where=where,
        remedy="Ask the repository's owner for signed packages; only `gpgcheck: false` of the repository lets it in.",
        want=_names(keys),
        got="no signature",
    )


def _told(packets: Iterable[bytes], where: str) -> list[tuple[bytes, SignaturePacket]]:
    """Return each signature with what it says of itself."""
    found = []
    for raw in packets:
        try:
            (packet,) = read_packets(raw)
            if packet.tag != Tag.SIGNATURE:
                raise ValueError(f"it is a packet of type {packet.tag}")
            found.append((raw, parse_signature(packet.body)))
        except ValueError as error:
            raise bad_signature(
                where, f"a signature cannot be read: {error}", "an OpenPGP signature", "other bytes"
            ) from error
    return found


def known(
    told: Iterable[tuple[bytes, SignaturePacket]], keys: Sequence[PublicKey], *, covers_payload: bool
) -> Candidate | None:
    """Return the first signature (its packet, and what it tells) that was made by one of these keys, or None."""
    for raw, signature in told:
        if found := find_part(keys, signature):
            return Candidate(raw, signature, *found, covers_payload)
    return None


def judge(candidate: Candidate, where: str) -> None:
    """Raise IntegrityError (rpm-signature-bad) for a signature that would not count even if it were good.

    That is one of another type, over a broken hash, or by a key that was not good at the time it tells.
    """
    told = candidate.told
    reason = candidate.key.fault_at(candidate.part, told.created)
    if told.type != SignatureType.BINARY:
        reason = f"it is a signature of type {told.type:#04x}, not one over bytes"
    elif told.hash_name not in _ACCEPTED_HASHES:
        reason = f"its hash {told.hash_name} can be broken"
    if reason:
        raise bad_signature(
            where, f"the signature of {day(told.created)} does not count", _names([candidate.key]), reason
        )


def bad_signature(where: str, what: str, want: str, got: str) -> IntegrityError:
    """Return the refusal of a signature, or of bytes that do not fit it."""
    return IntegrityError(ErrorId.RPM_SIGNATURE_BAD, what, where=where, remedy=_REMEDY_BAD, want=want, got=got)


def unknown_key(told: Iterable[SignaturePacket], keys: Sequence[PublicKey], where: str) -> IntegrityError:
    """Return the refusal of signatures whose keys are all not accepted; it names them and those that are."""
    ids = sorted({signature.key_id or "a key that it does not name" for signature in told})
    return IntegrityError(
        ErrorId.RPM_KEY_UNKNOWN,
        "signed by a key that the manifest does not accept",
        where=where,
        remedy="If the key is the vendor's, add its URL to the repository's gpgkey; if not, do not use the package.",
        want=_names(keys),
        got=", ".join(ids) or "no signature",
    )


def _names(keys: Sequence[PublicKey]) -> str:
    return f"a signature by {' or '.join(map(str, keys)) or 'a key, but the repository names none'}"
