"""Authenticates packages and repository metadata.

Owns the rule of what is authenticated: header *and* payload, always. Either a signature over a header that has a strong
digest of the payload, or a signature over header and payload (packages of EL7 have only that). rpm-rs checks the first
kind, gpgv the second and all keys that rpm-rs cannot read (DSA). Decided here:

- A key's expiry is compared with the signature's time, not with today: packages outlive their keys.
- Signatures with MD5 are refused. SHA-1 is accepted, because packages of EL6's time have nothing else and rpm on the
  site accepts it; `Signed.hash_name` shows it.
- The unsigned digests of a package (SHA-1 and SHA-256 of the header, MD5 of all) prove nothing, but rpm on the site
  refuses a package in which one does not match, so it is refused here too.
- Of several signatures, the first whose key is known decides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

from bundler.durable import storage_errors
from bundler.errors import ToolMissingError
from bundler.python_package import installing
from bundler.rpm.signing.armor import SIGNATURE, armored_labels, dearmor
from bundler.rpm.signing.gpgv import DetachedVerifier, Gpgv
from bundler.rpm.signing.openpgp import Tag, parse_signature, read_packets
from bundler.rpm.signing.rpm_file import Checksum, RpmFile, RpmHeader, read_rpm
from bundler.rpm.signing.signature_choice import (
    ChosenSignature,
    bad_signature,
    choose_signature,
    first_known,
    require_acceptable,
    unknown_key,
)
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundler.rpm.signing.keys import PublicKey

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Signed:
    """What is known about an authentic package.

    Arguments:
        key_id: of the key or subkey that signed, 16 lower-case hex digits.
        by: what checked the signature.
        fingerprint: of the primary key, lower-case hex.
        hash_name: the signature's hash, as hashlib names it.
        about: what the signed header says about the package, for comparison with the metadata.
    """

    key_id: str
    by: Literal["rpm-rs", "gpgv"]
    fingerprint: str
    hash_name: str
    about: RpmHeader


def check_package(path: Path, keys: Sequence[PublicKey], *, where: str, gpgv: DetachedVerifier | None = None) -> Signed:
    """Authenticate a package's header and payload.

    Arguments:
        path: the file; memory use is a few times its header, never its payload.
        keys: the accepted keys.
        where: its name in messages: the manifest's position, repository and package.
        gpgv: checks what rpm-rs cannot; by default the program gpgv.

    Raises IntegrityError (rpm-damaged, rpm-unsigned, rpm-key-unknown, rpm-signature-bad), ToolMissingError,
    StorageError.
    """
    with storage_errors(path), path.open("rb", buffering=0) as file:
        rpm = read_rpm(file, where)
        chosen = choose_signature(rpm, keys, where)
        require_acceptable(chosen, where)
        by: Literal["rpm-rs", "gpgv"] = "gpgv"
        verifier = gpgv or Gpgv()
        if chosen.covers_payload:
            file.seek(rpm.header_offset)
            verifier.verify(chosen.packet, chosen.key, file, where=where)
        elif _rpm_rs_verifies(rpm, chosen, where):
            by = "rpm-rs"
        else:
            verifier.verify(chosen.packet, chosen.key, rpm.header, where=where)
        _check_digests(rpm, file, where)
    return Signed(chosen.part.key_id, by, chosen.key.fingerprint, chosen.signature.hash_name, rpm.about)


def check_detached(
    data: bytes, signature: bytes, keys: Sequence[PublicKey], *, where: str, gpgv: DetachedVerifier | None = None
) -> str:
    """Authenticate bytes by a detached signature (repomd.xml and repomd.xml.asc); return the signing key's id.

    Arguments:
        signature: armored or binary; of several the first whose key is known decides.
        keys, where, gpgv: as for `check_package`.

    Raises IntegrityError (rpm-key-unknown, rpm-signature-bad), ToolMissingError, StorageError.
    """
    try:
        blocks = dearmor(signature, SIGNATURE) if SIGNATURE in armored_labels(signature) else (signature,)
        packets = [packet for block in blocks for packet in read_packets(block) if packet.tag == Tag.SIGNATURE]
        signatures = [(packet.raw, parse_signature(packet.body)) for packet in packets]
        if not signatures:
            raise ValueError(tr("there is none in it"))
    except ValueError as error:
        raise bad_signature(
            where,
            tr("the signature cannot be read: {error}", error=error),
            tr("an OpenPGP signature"),
            tr("other bytes"),
        ) from error
    found = first_known(signatures, keys, covers_payload=True)
    if found is None:
        raise unknown_key([parsed for _, parsed in signatures], keys, where)
    require_acceptable(found, where)
    (gpgv or Gpgv()).verify(found.packet, found.key, data, where=where)
    return found.part.key_id


def package_summary(path: Path, *, where: str) -> RpmHeader:
    """Return what a package says about itself, authenticated or not; IntegrityError (rpm-damaged) for anything else."""
    with storage_errors(path), path.open("rb", buffering=0) as file:
        return read_rpm(file, where).about


def _rpm_rs_verifies(rpm: RpmFile, chosen: ChosenSignature, where: str) -> bool:
    """Check a signature over the header with rpm-rs; False when it cannot read this key.

    rpm-rs has a parser of its own: it has to have read the same header, so that what is signed is what we read.
    """
    try:
        import rpm_rs
    except ImportError as error:
        raise ToolMissingError(
            "rpm-rs", package=installing("rpm-rs"), needed_for=tr("the signatures of RPM packages")
        ) from error
    try:
        verifier = rpm_rs.Verifier(chosen.key.armored)
    except (RuntimeError, ValueError):
        return False
    try:
        metadata = rpm_rs.PackageMetadata.from_bytes(rpm.opening)
        results = metadata.check_signatures(verifier).signatures
        good = [result for result in results if result.is_verified() and result.info is not None]
        fits = metadata.header_bytes() == rpm.header and any(_same(result.info, chosen) for result in good)
        reasons = sorted({str(result.error) for result in results if result.error}) or [tr("another header")]
    except (RuntimeError, ValueError) as error:
        fits, reasons = False, [str(error)]
    if not fits:
        want = tr("a good signature by {key}", key=chosen.key)
        raise bad_signature(where, tr("the signature does not fit the header"), want, "; ".join(reasons))
    return True


def _same(info: object, chosen: ChosenSignature) -> bool:
    found = getattr(info, "key_id", None), getattr(info, "created", None)
    return found == (chosen.part.key_id, chosen.signature.created)


def _check_digests(rpm: RpmFile, file: BinaryIO, where: str) -> None:
    """Compare the package with every digest it contains, in one pass over its payload."""
    for digest in rpm.header_digests:
        _compare("header", digest, hashlib.new(digest.name, rpm.header, usedforsecurity=False).hexdigest(), where)
    wanted = [("payload", rpm.payload_digest, b""), (tr("header and payload"), rpm.package_digest, rpm.header)]
    running = [
        (part, digest, hashlib.new(digest.name, begin, usedforsecurity=False))
        for part, digest, begin in wanted
        if digest
    ]
    file.seek(len(rpm.opening))
    while chunk := file.read(CHUNK_BYTES):
        for _, _, hasher in running:
            hasher.update(chunk)
    for part, digest, hasher in running:
        _compare(part, digest, hasher.hexdigest(), where)


def _compare(part: str, digest: Checksum, found: str, where: str) -> None:
    if found != digest.hex.lower():
        raise bad_signature(
            where, tr("the {part} is not what was signed", part=part), f"{digest.name} {digest.hex}", found
        )
