"""Who vouches for a package, and for repository metadata.

Owns the rule of what is authenticated: header *and* payload, always. Either a signature over the header whose header
holds a strong digest of the payload, or a signature over header and payload (all that packages of EL7 have). rpm-rs
checks the former, gpgv the latter and whatever keys rpm-rs cannot read (DSA). Decided here:

- A key's expiry is held against the time that the signature tells, not against today: packages outlive their keys.
- Signatures over MD5 are refused. SHA-1 is accepted, because packages of EL6's time have nothing else and rpm on the
  site accepts it; `Signed.hash_name` says it.
- Unsigned digests that a package carries beside (SHA-1 and SHA-256 of the header, MD5 of all) prove nothing, but rpm
  on the site refuses a package in which one does not match, so it is refused here too.
- Of several signatures, the first whose key is known decides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal

from bundler.durable import storage_errors
from bundler.errors import ToolMissingError
from bundler.rpm.signing.armor import SIGNATURE, armored_labels, dearmor
from bundler.rpm.signing.gpgv import DetachedVerifier, Gpgv
from bundler.rpm.signing.openpgp import Tag, parse_signature, read_packets
from bundler.rpm.signing.rpm_file import Checksum, RpmFile, RpmHeader, read_rpm
from bundler.rpm.signing.signature_choice import Candidate, bad_signature, choose, judge, known, unknown_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundler.rpm.signing.keys import PublicKey

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Signed:
    """What was found out about an authentic package.

    Arguments:
        key_id: of the key or subkey that signed, 16 lower-case hex digits.
        by: what checked the signature.
        fingerprint: of the primary key, lower-case hex.
        hash_name: the signature's hash, as hashlib names it.
        about: what the signed header says of the package; hold it against what the metadata promised.
    """

    key_id: str
    by: Literal["rpm-rs", "gpgv"]
    fingerprint: str
    hash_name: str
    about: RpmHeader


def check_package(path: Path, keys: Sequence[PublicKey], *, where: str, gpgv: DetachedVerifier | None = None) -> Signed:
    """Authenticate a package's header and payload.

    Arguments:
        path: the file; in memory is a few times its header, never its payload.
        keys: those that may have signed it.
        where: what to call it in messages: the manifest's position, repository and package.
        gpgv: who checks what rpm-rs cannot; the program gpgv when it is left out.

    Raises IntegrityError (rpm-damaged, rpm-unsigned, rpm-key-unknown, rpm-signature-bad), ToolMissingError,
    StorageError.
    """
    with storage_errors(path), path.open("rb", buffering=0) as file:
        rpm = read_rpm(file, where)
        candidate = choose(rpm, keys, where)
        judge(candidate, where)
        by: Literal["rpm-rs", "gpgv"] = "gpgv"
        verifier = gpgv or Gpgv()
        if candidate.covers_payload:
            file.seek(rpm.header_offset)
            verifier.verify(candidate.packet, candidate.key, file, where=where)
        elif _rpm_rs_verifies(rpm, candidate, where):
            by = "rpm-rs"
        else:
            verifier.verify(candidate.packet, candidate.key, rpm.header, where=where)
        _check_digests(rpm, file, where)
    return Signed(candidate.part.key_id, by, candidate.key.fingerprint, candidate.told.hash_name, rpm.about)


def check_detached(
    data: bytes, signature: bytes, keys: Sequence[PublicKey], *, where: str, gpgv: DetachedVerifier | None = None
) -> str:
    """Authenticate bytes by a signature beside them (repomd.xml and repomd.xml.asc); return the signing key's id.

    Arguments:
        signature: armored or binary; of several the first whose key is known decides.
        keys, where, gpgv: as for `check_package`.

    Raises IntegrityError (rpm-key-unknown, rpm-signature-bad), ToolMissingError, StorageError.
    """
    try:
        blocks = dearmor(signature, SIGNATURE) if SIGNATURE in armored_labels(signature) else (signature,)
        packets = [packet for block in blocks for packet in read_packets(block) if packet.tag == Tag.SIGNATURE]
        told = [(packet.raw, parse_signature(packet.body)) for packet in packets]
        if not told:
            raise ValueError("there is none in it")
    except ValueError as error:
        raise bad_signature(
            where, f"the signature cannot be read: {error}", "an OpenPGP signature", "other bytes"
        ) from error
    found = known(told, keys, covers_payload=True)
    if found is None:
        raise unknown_key([signature for _, signature in told], keys, where)
    judge(found, where)
    (gpgv or Gpgv()).verify(found.packet, found.key, data, where=where)
    return found.part.key_id


def package_summary(path: Path, *, where: str) -> RpmHeader:
    """Return what a package says it is, authenticated or not; IntegrityError (rpm-damaged) when it is none."""
    with storage_errors(path), path.open("rb", buffering=0) as file:
        return read_rpm(file, where).about


def _rpm_rs_verifies(rpm: RpmFile, candidate: Candidate, where: str) -> bool:
    """Check a signature over the header with rpm-rs; False when it cannot read this key.

    rpm-rs has a parser of its own. It is held to have seen the same header, so that what is signed is what we read.
    """
    try:
        import rpm_rs
    except ImportError as error:
        raise ToolMissingError(
            "rpm-rs", package="kubeedge-bundler[build]", needed_for="the signatures of RPM packages"
        ) from error
    try:
        verifier = rpm_rs.Verifier(candidate.key.armored)
    except (RuntimeError, ValueError):
        return False
    try:
        metadata = rpm_rs.PackageMetadata.from_bytes(rpm.opening)
        results = metadata.check_signatures(verifier).signatures
        good = [result for result in results if result.is_verified() and result.info is not None]
        fits = metadata.header_bytes() == rpm.header and any(_same(result.info, candidate) for result in good)
        reasons = sorted({str(result.error) for result in results if result.error}) or ["another header"]
    except (RuntimeError, ValueError) as error:
        fits, reasons = False, [str(error)]
    if not fits:
        want = f"a good signature by {candidate.key}"
        raise bad_signature(where, "the signature does not fit the header", want, "; ".join(reasons))
    return True


def _same(told_by_rpm_rs: object, candidate: Candidate) -> bool:
    found = getattr(told_by_rpm_rs, "key_id", None), getattr(told_by_rpm_rs, "created", None)
    return found == (candidate.part.key_id, candidate.told.created)


def _check_digests(rpm: RpmFile, file: BinaryIO, where: str) -> None:
    """Hold the package to every digest it carries, in one pass over its payload."""
    for digest in rpm.header_digests:
        _compare("header", digest, hashlib.new(digest.name, rpm.header, usedforsecurity=False).hexdigest(), where)
    wanted = [("payload", rpm.payload_digest, b""), ("header and payload", rpm.package_digest, rpm.header)]
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
        raise bad_signature(where, f"the {part} is not what was signed", f"{digest.name} {digest.hex}", found)
