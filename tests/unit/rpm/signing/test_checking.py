"""Which signature decides, what it has to cover, and what the verifier is handed; nothing is computed here.

The packages are written by the test; `RecordingVerifier` stands for gpgv. tests/integration has real ones.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import ErrorId, IntegrityError, ToolMissingError
from bundler.python_package import installing
from bundler.rpm.signing.checking import check_detached, check_package, package_summary
from bundler.rpm.signing.gpgv import fault
from bundler.rpm.signing.keys import PublicKey, read_keys
from tests.fakes.rpm_layout import (
    ARCH,
    BUILD_TIME,
    EPOCH,
    I18N_STRING,
    INT32,
    INT64,
    LEAD,
    NAME,
    PAYLOAD_DIGEST,
    PAYLOAD_DIGEST_ALGORITHM,
    REGION_IMMUTABLE,
    RELEASE,
    SIG_DSA_HEADER,
    SIG_GPG,
    SIG_MD5,
    SIG_PGP,
    SIG_RSA_HEADER,
    SIG_SHA1,
    SIZE,
    SOURCE_RPM,
    STRING_ARRAY,
    SUMMARY,
    VERSION,
    Entry,
    Parts,
    binary,
    number,
    take_apart,
    text,
    write_header,
)
from tests.fakes.small_rpms import BUILT_S, KEY, SmallRpm

if TYPE_CHECKING:
    from collections.abc import Sequence

DATA = Path(__file__).parents[3] / "data" / "keys"
RSA, DSA = read_keys((DATA / "two-blocks.asc").read_bytes(), "keys")
RSA_SIGNATURE = (DATA / "rsa-signature.sig").read_bytes()
DSA_SIGNATURE = (DATA / "dsa-signature-sha512.sig").read_bytes()
PAYLOAD = b"payload" * 100
SHA1_NUMBER, SHA256_NUMBER = 2, 8


@dataclass
class RecordingVerifier:
    """A `DetachedVerifier` that finds every signature good, and remembers what it was asked."""

    asked: list[tuple[bytes, PublicKey, bytes]] = field(default_factory=list)

    def verify(self, signature: bytes, key: PublicKey, signed: bytes | BinaryIO, *, where: str) -> None:
        assert where == "test"
        self.asked.append((signature, key, signed if isinstance(signed, bytes) else signed.read()))


def _package(
    *signatures: Entry,
    payload_digest: str | None = "",
    algorithm: int = SHA256_NUMBER,
    source_rpm: str = "app-1.2-3.src.rpm",
    more: Sequence[Entry] = (),
) -> Parts:
    """Return a package; `payload_digest` None leaves it out, "" takes the right one; `source_rpm` "" leaves it out."""
    entries = [text(NAME, "app"), text(VERSION, "1.2"), text(RELEASE, "3"), text(ARCH, "noarch"), number(EPOCH, 4)]
    entries += [text(SUMMARY, "An app", kind=I18N_STRING), number(BUILD_TIME, 1_600_000_000), number(SIZE, 700)]
    entries += [text(SOURCE_RPM, source_rpm), *more] if source_rpm else more
    if payload_digest is not None:
        digest = payload_digest or hashlib.sha256(PAYLOAD).hexdigest()
        entries += [text(PAYLOAD_DIGEST, digest, kind=STRING_ARRAY), number(PAYLOAD_DIGEST_ALGORITHM, algorithm)]
    header = write_header(entries, REGION_IMMUTABLE)
    return Parts(LEAD, (), header, PAYLOAD).with_digests().with_signatures(*signatures)


def _check(parts: Parts, path: Path, keys: Sequence[PublicKey] = (RSA, DSA)) -> tuple[str, list[bytes]]:
    """Return who signed, and what bytes the verifier was handed."""
    path.write_bytes(parts.joined())
    verifier = RecordingVerifier()
    signed = check_package(path, keys, where="test", gpgv=verifier)
    assert (signed.by, str(signed.about.nevra)) == ("gpgv", "app-4:1.2-3.noarch")
    return signed.key_id, [covered for _, _, covered in verifier.asked]


def _refusal(parts: Parts | bytes, path: Path, keys: Sequence[PublicKey] = (RSA, DSA)) -> IntegrityError:
    path.write_bytes(parts if isinstance(parts, bytes) else parts.joined())
    with pytest.raises(IntegrityError) as caught:
        check_package(path, keys, where="test", gpgv=RecordingVerifier())
    assert caught.value.where == "test"
    return caught.value


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "app.rpm"


def test_a_signature_over_the_header_is_enough_where_it_holds_the_payloads_digest(path: Path) -> None:
    parts = _package(binary(SIG_DSA_HEADER, DSA_SIGNATURE))
    assert _check(parts, path) == (DSA.parts[0].key_id, [parts.header])


@pytest.mark.parametrize(("tag", "signature", "key"), [(SIG_PGP, RSA_SIGNATURE, RSA), (SIG_GPG, DSA_SIGNATURE, DSA)])
def test_without_such_a_digest_header_and_payload_are_covered(
    path: Path, tag: int, signature: bytes, key: PublicKey
) -> None:
    parts = _package(binary(tag, signature), binary(SIG_RSA_HEADER, RSA_SIGNATURE), payload_digest=None)
    assert _check(parts, path) == (key.parts[0].key_id, [parts.header + PAYLOAD])


def test_a_digest_of_the_payload_by_sha1_counts_as_none(path: Path) -> None:
    weak = hashlib.sha1(PAYLOAD, usedforsecurity=False).hexdigest()
    signatures = binary(SIG_DSA_HEADER, DSA_SIGNATURE), binary(SIG_PGP, RSA_SIGNATURE)
    parts = _package(*signatures, payload_digest=weak, algorithm=SHA1_NUMBER)
    assert _check(parts, path) == (RSA.parts[0].key_id, [parts.header + PAYLOAD])


def test_a_signature_over_the_header_alone_is_refused(path: Path) -> None:
    error = _refusal(_package(binary(SIG_DSA_HEADER, DSA_SIGNATURE), payload_digest=None), path)
    assert error.id is ErrorId.RPM_SIGNATURE_BAD
    assert "covers only the header" in error.what


def test_of_two_signatures_the_one_by_a_known_key_decides(path: Path) -> None:
    parts = _package(binary(SIG_RSA_HEADER, RSA_SIGNATURE), binary(SIG_DSA_HEADER, DSA_SIGNATURE))
    assert _check(parts, path, [DSA]) == (DSA.parts[0].key_id, [parts.header])


def test_when_the_headers_signer_is_unknown_the_packages_signer_may_be_known(path: Path) -> None:
    parts = _package(binary(SIG_RSA_HEADER, RSA_SIGNATURE), binary(SIG_GPG, DSA_SIGNATURE))
    assert _check(parts, path, [DSA]) == (DSA.parts[0].key_id, [parts.header + PAYLOAD])


def test_another_signature_does_not_vouch_for_the_one_that_decides(path: Path) -> None:
    parts = take_apart(SmallRpm("app").content())
    genuine = parts.signature(SIG_RSA_HEADER)
    claimed = genuine.replace(BUILT_S.to_bytes(4, "big"), (BUILT_S + 1).to_bytes(4, "big"))
    assert claimed != genuine
    both = parts.with_signatures(binary(SIG_RSA_HEADER, claimed), binary(SIG_DSA_HEADER, genuine))
    assert _refusal(both, path, read_keys(KEY, "key")).id is ErrorId.RPM_SIGNATURE_BAD


def test_an_unknown_key_is_named_beside_those_accepted(path: Path) -> None:
    error = _refusal(_package(binary(SIG_DSA_HEADER, DSA_SIGNATURE)), path, [RSA])
    assert error.id is ErrorId.RPM_KEY_UNKNOWN
    assert (error.got, error.want) == (DSA.parts[0].key_id, f"a signature by {RSA}")


def test_no_accepted_keys_at_all_is_said(path: Path) -> None:
    error = _refusal(_package(binary(SIG_DSA_HEADER, DSA_SIGNATURE)), path, [])
    assert error.id is ErrorId.RPM_KEY_UNKNOWN
    assert "names none" in error.want


def test_no_signature_is_told_apart_from_a_bad_one(path: Path) -> None:
    assert _refusal(_package(), path).id is ErrorId.RPM_UNSIGNED
    assert _refusal(_package(payload_digest=None), path).id is ErrorId.RPM_UNSIGNED
    assert _refusal(_package(binary(SIG_DSA_HEADER, b"garbage")), path).id is ErrorId.RPM_SIGNATURE_BAD
    assert _refusal(_package(binary(SIG_DSA_HEADER, DSA_SIGNATURE * 2)), path).id is ErrorId.RPM_SIGNATURE_BAD
    assert _refusal(_package(binary(SIG_DSA_HEADER, RSA.packets)), path).id is ErrorId.RPM_SIGNATURE_BAD


def test_a_certification_is_not_taken_for_a_signature_over_bytes(path: Path) -> None:
    certification = DSA_SIGNATURE.replace(b"\x04\x00", b"\x04\x10", 1)
    error = _refusal(_package(binary(SIG_DSA_HEADER, certification)), path)
    assert error.id is ErrorId.RPM_SIGNATURE_BAD
    assert "type 0x10" in error.got


@pytest.mark.parametrize("tag", [SIG_MD5, SIG_SHA1])
def test_every_digest_that_a_package_carries_is_held_to(path: Path, tag: int) -> None:
    wrong = binary(tag, bytes(16)) if tag == SIG_MD5 else text(tag, "0" * 40)
    error = _refusal(_package(binary(SIG_DSA_HEADER, DSA_SIGNATURE), wrong), path)
    assert error.id is ErrorId.RPM_SIGNATURE_BAD


def test_the_signed_digest_of_the_payload_is_held_to(path: Path) -> None:
    error = _refusal(_package(binary(SIG_DSA_HEADER, DSA_SIGNATURE), payload_digest="0" * 64), path)
    assert error.id is ErrorId.RPM_SIGNATURE_BAD
    assert (error.want, error.got) == (f"sha256 {'0' * 64}", hashlib.sha256(PAYLOAD).hexdigest())


def test_a_header_may_hold_a_tag_once_only(path: Path) -> None:
    twice = _package(text(SIG_SHA1, "0" * 40)).joined()
    one, other = SIG_MD5.to_bytes(4, "big"), SIG_SHA1.to_bytes(4, "big")
    refusal = _refusal(twice.replace(one, other, 1), path)
    assert refusal.id is ErrorId.RPM_DAMAGED
    assert f"holds tag {SIG_SHA1} twice" in refusal.what


@pytest.mark.parametrize(("kind", "count"), [(INT64, 4), (INT32, 0x0FFFFFFF), (STRING_ARRAY, 0x0FFFFFFF), (77, 1)])
def test_a_header_may_claim_no_more_than_it_holds(path: Path, kind: int, count: int) -> None:
    parts = _package(more=(Entry(9999, kind, count, bytes(8)),))
    assert "the entry of tag 9999 lies outside" in _refusal(parts, path).what


def test_a_source_package_is_named_as_one(path: Path) -> None:
    path.write_bytes(_package(source_rpm="").joined())
    assert str(package_summary(path, where="test").nevra) == "app-4:1.2-3.src"


def test_without_rpm_rs_its_package_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rpm_rs", None)
    path.write_bytes(_package(binary(SIG_DSA_HEADER, DSA_SIGNATURE)).joined())
    with pytest.raises(ToolMissingError) as caught:
        check_package(path, [DSA], where="test", gpgv=RecordingVerifier())
    assert caught.value.package == installing("rpm-rs")


def test_what_a_package_is_can_be_read_without_keys(path: Path) -> None:
    path.write_bytes(_package().joined())
    about = package_summary(path, where="test")
    assert (str(about.nevra), about.summary) == ("app-4:1.2-3.noarch", "An app")
    assert (about.build_time, about.installed_size) == (1_600_000_000, 700)


@given(at=st.integers(0, 900), garbage=st.binary(min_size=1, max_size=40))
def test_any_damage_is_an_integrity_error_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, at: int, garbage: bytes
) -> None:
    parts = _package(binary(SIG_DSA_HEADER, DSA_SIGNATURE))
    whole = parts.joined()
    path = tmp_path_factory.getbasetemp() / f"damaged-{at}.rpm"
    path.write_bytes(whole[:at] + garbage + whole[at + len(garbage) :])
    verifier = RecordingVerifier()
    try:
        check_package(path, [DSA], where="test", gpgv=verifier)
    except IntegrityError as error:
        assert error.where == "test"  # noqa: PT017 - not raising is as good
    else:
        assert [covered[:8] for _, _, covered in verifier.asked] == [parts.header[:8]]


def test_metadata_is_handed_over_as_it_is() -> None:
    verifier = RecordingVerifier()
    assert check_detached(b"repomd", DSA_SIGNATURE, [RSA, DSA], where="test", gpgv=verifier) == DSA.parts[0].key_id
    assert verifier.asked == [(DSA_SIGNATURE, DSA, b"repomd")]


GOOD = f"[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG {RSA.parts[0].key_id.upper()} Vendor\n"
VALID = f"[GNUPG:] VALIDSIG {RSA.fingerprint.upper()} 2026-11-23 1795431587 0 4 0 1 8 00 {RSA.fingerprint.upper()}\n"


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (GOOD + VALID, ""),
        (GOOD.replace("GOODSIG", "EXPKEYSIG") + VALID, ""),
        (GOOD, "another key"),
        (VALID, "nothing of a signature"),
        ("", "nothing of a signature"),
        (GOOD.replace("GOODSIG", "BADSIG"), "BADSIG"),
        (GOOD.replace("GOODSIG", "REVKEYSIG") + VALID, "REVKEYSIG"),
        (GOOD.replace("GOODSIG", "EXPSIG") + VALID, "EXPSIG"),
        (GOOD + VALID + GOOD, "GOODSIG and GOODSIG"),
        (GOOD + VALID.replace(RSA.fingerprint.upper(), DSA.fingerprint.upper()), "another key"),
        (GOOD.replace("[GNUPG:] GOODSIG", "GOODSIG") + VALID, "nothing of a signature"),
    ],
)
def test_only_a_plain_yes_of_gpgv_is_a_yes(status: str, says: str) -> None:
    found = fault(status, RSA)
    assert says in found
    assert bool(found) == bool(says)
