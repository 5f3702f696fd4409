"""Packages tampered with in every way: real tools signed them, and real rpm refuses what we refuse."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError
from bundler.rpm.signing.checking import check_package
from tests.fakes.rpm_layout import (
    REGION_IMMUTABLE,
    SIG_MD5,
    SIG_PGP,
    SIG_RSA_HEADER,
    SUMMARY,
    Parts,
    binary,
    read_header,
    take_apart,
    text,
    write_header,
)
from tests.integration.rpm_packages import SpecLike, build_rpms, sign
from tests.integration.signed_packages import (
    WHERE,
    SignedPackages,
    keys_of,
    refusal,
    rpm_accepts,
    signed_packages,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignedPackages]:
    with signed_packages(tmp_path_factory.mktemp("signatures")) as packages:
        yield packages


# --- what was tampered with -----------------------------------------------------------------------------------------


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _other_summary(parts: Parts) -> Parts:
    entries, _ = read_header(parts.header, 0)
    return parts.with_header(
        write_header(
            [entry for entry in entries if entry.tag != SUMMARY] + [text(SUMMARY, "Another", kind=9)], REGION_IMMUTABLE
        )
    )


def _payload_cut(parts: Parts) -> Parts:
    return parts.with_payload(parts.payload[:-1])


TAMPERINGS: dict[str, Callable[[Parts], Parts]] = {
    "payload-byte-flipped": lambda parts: parts.with_payload(_flipped(parts.payload, len(parts.payload) // 2)),
    "payload-cut": _payload_cut,
    "payload-longer": lambda parts: parts.with_payload(parts.payload + b"\0"),
    "payload-gone": lambda parts: parts.with_payload(b""),
    "header-byte-flipped": lambda parts: parts.with_header(_flipped(parts.header, parts.header.index(b"Test package"))),
    "header-written-anew": _other_summary,
}


@pytest.mark.parametrize("digests", ["left", "made-to-fit"])
@pytest.mark.parametrize("tampering", TAMPERINGS)
@pytest.mark.parametrize("shape", ["modern", "el7"])
def test_tampering_is_found(bench: SignedPackages, tmp_path: Path, shape: str, tampering: str, digests: str) -> None:
    parts = TAMPERINGS[tampering](take_apart(getattr(bench, shape).read_bytes()))
    package = tmp_path / "tampered.rpm"
    package.write_bytes((parts.with_digests() if digests == "made-to-fit" else parts).joined())
    assert refusal(package, bench.key).id is ErrorId.RPM_SIGNATURE_BAD


def test_rpm_rs_alone_passes_a_flipped_payload_byte_of_el7(bench: SignedPackages, tmp_path: Path) -> None:
    """Why gpgv is there; when this fails, rpm-rs has learnt it."""
    import rpm_rs

    parts = TAMPERINGS["payload-byte-flipped"](take_apart(bench.el7.read_bytes()))
    package = tmp_path / "tampered.rpm"
    package.write_bytes(parts.with_digests().joined())
    opened = rpm_rs.Package.open(package)
    assert opened.verify_signature(rpm_rs.Verifier(bench.key.public)) is None
    assert opened.check_digests().is_ok()
    assert not rpm_accepts(package, bench.key)


def test_a_signature_over_the_header_alone_vouches_for_no_el7_payload(bench: SignedPackages, tmp_path: Path) -> None:
    package = tmp_path / "header-only.rpm"
    package.write_bytes(take_apart(bench.el7.read_bytes()).without_signatures(SIG_PGP, SIG_MD5).joined())
    with pytest.raises(IntegrityError, match="covers only the header") as caught:
        check_package(package, keys_of(bench.key), where=WHERE)
    assert caught.value.id is ErrorId.RPM_SIGNATURE_BAD


def test_the_signature_of_another_package_is_bad(bench: SignedPackages, tmp_path: Path) -> None:
    (other,) = build_rpms(tmp_path / "other", [SpecLike("other")])
    sign([other], bench.key)
    mine, theirs = take_apart(bench.modern.read_bytes()), take_apart(other.read_bytes())
    borrowed = mine.with_signatures(binary(SIG_RSA_HEADER, theirs.signature(SIG_RSA_HEADER)))
    package = tmp_path / "borrowed.rpm"
    package.write_bytes(borrowed.joined())
    assert refusal(package, bench.key).id is ErrorId.RPM_SIGNATURE_BAD


def test_a_digest_that_does_not_fit_is_found_although_nobody_signed_it(bench: SignedPackages, tmp_path: Path) -> None:
    parts = take_apart(bench.modern.read_bytes()).with_signatures(binary(SIG_MD5, bytes(16)))
    package = tmp_path / "digest.rpm"
    package.write_bytes(parts.joined())
    assert refusal(package, bench.key).id is ErrorId.RPM_SIGNATURE_BAD


@pytest.mark.parametrize("shape", ["modern", "el7"])
def test_a_file_cut_anywhere_is_refused(bench: SignedPackages, tmp_path: Path, shape: str) -> None:
    """Every length up to the payload, and some within; real rpm is asked about a few, since it takes its time."""
    whole = getattr(bench, shape).read_bytes()
    opening = len(whole) - len(take_apart(whole).payload)
    keys = keys_of(bench.key)
    package = tmp_path / "cut.rpm"
    for length in [*range(0, opening, 97), opening, opening + 1, len(whole) - 1]:
        package.write_bytes(whole[:length])
        with pytest.raises(IntegrityError) as caught:
            check_package(package, keys, where=WHERE)
        expected = ErrorId.RPM_DAMAGED if length < opening else ErrorId.RPM_SIGNATURE_BAD
        assert caught.value.id is expected, length
    assert not rpm_accepts(package, bench.key)


def test_of_flipped_bytes_only_those_that_nobody_signs_are_let_pass(bench: SignedPackages, tmp_path: Path) -> None:
    """The lead, and entries of the signature header that say neither who signed nor what."""
    whole = bench.modern.read_bytes()
    parts = take_apart(whole)
    signed_from = len(whole) - len(parts.payload) - len(parts.header)
    keys = keys_of(bench.key)
    package = tmp_path / "flipped.rpm"
    accepted = set()
    for at in range(0, len(whole) - len(parts.payload), 13):
        package.write_bytes(_flipped(whole, at))
        with suppress(IntegrityError):
            check_package(package, keys, where=WHERE)
            accepted.add(at)
    signature_at = whole.index(parts.signature(SIG_RSA_HEADER))
    told = range(signature_at, signature_at + len(parts.signature(SIG_RSA_HEADER)))
    assert max(accepted) < signed_from
    assert accepted.isdisjoint(told)


@pytest.mark.parametrize(
    "content", [b"", b"<html>404</html>" * 20, b"\xed\xab\xee\xdb" + b"\xff" * 400], ids=["empty", "page", "lead-only"]
)
def test_what_is_no_package_is_told(bench: SignedPackages, tmp_path: Path, content: bytes) -> None:
    package = tmp_path / "garbage.rpm"
    package.write_bytes(content)
    assert refusal(package, bench.key).id is ErrorId.RPM_DAMAGED
