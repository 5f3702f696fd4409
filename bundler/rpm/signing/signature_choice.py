"""Which of a package's signatures decides, and whether it can count, before anything is computed. Pure.

Owns the choice among signatures and keys, and the texts of the refusals; refuses to verify (`checking.py` does).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, IntegrityError
from bundler.rpm.signing.keys import KeyPart, PublicKey, day, find_part
from bundler.rpm.signing.openpgp import SignaturePacket, SignatureType, Tag, parse_signature, read_packets
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bundler.rpm.signing.rpm_file import RpmFile

_ACCEPTED_HASHES = frozenset({"sha1", "sha224", "sha256", "sha384", "sha512", "sha3-256", "sha3-512"})
_REMEDY_BAD = tr("Fetch it again; if it stays so, it was tampered with or damaged upstream: do not use it.")


@dataclass(frozen=True, slots=True)
class ChosenSignature:
    """A signature whose key is known; `covers_payload` selects one of the two checks of `checking.py`."""

    packet: bytes
    signature: SignaturePacket
    key: PublicKey
    part: KeyPart
    covers_payload: bool


def choose_signature(rpm: RpmFile, keys: Sequence[PublicKey], where: str) -> ChosenSignature:
    """Return the signature of a package that decides: of those that cover the payload, directly or by its digest, the
    first whose key is known, and one over the header first.

    Raises IntegrityError (rpm-unsigned, rpm-key-unknown, rpm-signature-bad).
    """
    over_header = _parsed(rpm.header_signatures, where) if rpm.payload_digest else []
    over_all = _parsed(rpm.package_signatures, where)
    found = first_known(over_header, keys, covers_payload=False) or first_known(over_all, keys, covers_payload=True)
    if found is not None:
        return found
    if over_header or over_all:
        raise unknown_key([signature for _, signature in (*over_header, *over_all)], keys, where)
    if rpm.header_signatures:
        what = tr("its signature covers only the header, and no strong digest of the payload stands there")
        raise bad_signature(where, what, tr("a signature that covers the payload"), "none")
    raise IntegrityError(
        ErrorId.RPM_UNSIGNED,
        tr("the package is not signed"),
        where=where,
        remedy=tr(
            "Ask the repository's owner for signed packages; only `gpgcheck: false` of the repository lets it in."
        ),
        want=_names(keys),
        got=tr("no signature"),
    )


def _parsed(packets: Iterable[bytes], where: str) -> list[tuple[bytes, SignaturePacket]]:
    """Return each signature, as bytes and parsed."""
    found = []
    for raw in packets:
        try:
            (packet,) = read_packets(raw)
            if packet.tag != Tag.SIGNATURE:
                raise ValueError(tr("it is a packet of type {tag}", tag=packet.tag))
            found.append((raw, parse_signature(packet.body)))
        except ValueError as error:
            raise bad_signature(
                where,
                tr("a signature cannot be read: {error}", error=error),
                tr("an OpenPGP signature"),
                tr("other bytes"),
            ) from error
    return found


def first_known(
    signatures: Iterable[tuple[bytes, SignaturePacket]], keys: Sequence[PublicKey], *, covers_payload: bool
) -> ChosenSignature | None:
    """Return the first signature (given as bytes and parsed) that names one of these keys as its issuer, or None."""
    for raw, signature in signatures:
        if found := find_part(keys, signature):
            return ChosenSignature(raw, signature, *found, covers_payload)
    return None


def require_acceptable(chosen: ChosenSignature, where: str) -> None:
    """Raise IntegrityError (rpm-signature-bad) for a signature that would not count even if it were correct.

    That is one of another type, with a broken hash, or by a key that was not valid at the signature's time.
    """
    signature = chosen.signature
    reason = chosen.key.fault_at(chosen.part, signature.created)
    if signature.type != SignatureType.BINARY:
        reason = tr("it is a signature of type {type:#04x}, not one over bytes", type=signature.type)
    elif signature.hash_name not in _ACCEPTED_HASHES:
        reason = tr("its hash {hash_name} can be broken", hash_name=signature.hash_name)
    if reason:
        raise bad_signature(
            where,
            tr("the signature of {created} does not count", created=day(signature.created)),
            _names([chosen.key]),
            reason,
        )


def bad_signature(where: str, what: str, want: str, got: str) -> IntegrityError:
    """Return the error for a bad signature, or for bytes that do not match it."""
    return IntegrityError(ErrorId.RPM_SIGNATURE_BAD, what, where=where, remedy=_REMEDY_BAD, want=want, got=got)


def unknown_key(signatures: Iterable[SignaturePacket], keys: Sequence[PublicKey], where: str) -> IntegrityError:
    """Return the error for signatures of which no key is accepted; it names their keys and the accepted ones."""
    ids = sorted({signature.key_id or tr("a key that it does not name") for signature in signatures})
    return IntegrityError(
        ErrorId.RPM_KEY_UNKNOWN,
        tr("signed by a key that the manifest does not accept"),
        where=where,
        remedy=tr(
            "If the key is the vendor's, add its URL to the repository's gpgkey; if not, do not use the package."
        ),
        want=_names(keys),
        got=", ".join(ids) or tr("no signature"),
    )


def _names(keys: Sequence[PublicKey]) -> str:
    return tr(
        "a signature by {keys}", keys=tr(" or ").join(map(str, keys)) or tr("a key, but the repository names none")
    )
