"""Who may sign packages and metadata, and with what: real tools sign, real rpm's verdict is the reference."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import rpm_rs

from bundler.errors import ErrorId, IntegrityError, ToolMissingError
from bundler.rpm.signing.checking import check_detached, check_package, package_summary
from bundler.rpm.signing.gpgv import Gpgv
from bundler.rpm.signing.keys import read_keys
from tests.fakes.rpm_layout import (
    SIG_RSA_HEADER,
    take_apart,
)
from tests.integration.dnf_client import dnf_install
from tests.integration.rpm_packages import el7_shape, make_repository, sign
from tests.integration.signed_packages import (
    PAYLOAD,
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


def test_a_modern_package_is_authenticated_by_rpm_rs_alone(bench: SignedPackages, tmp_path: Path) -> None:
    nowhere = Gpgv(search_path=str(tmp_path))
    signed = check_package(bench.modern, keys_of(bench.key), where=WHERE, gpgv=nowhere)
    assert (signed.key_id, signed.by, signed.hash_name) == (bench.key.key_id, "rpm-rs", "sha256")
    assert signed.fingerprint == bench.key.fingerprint.lower()
    assert str(signed.about.nevra) == "app-1:2.1-3.noarch"
    assert rpm_accepts(bench.copy(bench.modern, tmp_path / "app.rpm"), bench.key)


def test_the_key_is_found_among_several(bench: SignedPackages) -> None:
    keys = keys_of(bench.stranger, bench.dsa, bench.key)
    assert check_package(bench.modern, keys, where=WHERE).key_id == bench.key.key_id


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
def test_an_el7_package_is_authenticated_by_gpgv(bench: SignedPackages, tmp_path: Path, digest: str) -> None:
    package = el7_shape(bench.copy(bench.unsigned, tmp_path / "el7.rpm"), bench.key, digest=digest)
    signed = check_package(package, keys_of(bench.stranger, bench.key), where=WHERE)
    assert (signed.key_id, signed.by, signed.hash_name) == (bench.key.key_id, "gpgv", digest)
    assert rpm_accepts(package, bench.key)


@pytest.mark.parametrize("v3", [False, True], ids=["header", "header-and-package"])
def test_a_dsa_key_is_checked_by_gpgv(bench: SignedPackages, tmp_path: Path, v3: bool) -> None:
    package = bench.copy(bench.unsigned, tmp_path / "dsa.rpm")
    sign([package], bench.dsa, v3=v3)
    signed = check_package(package, keys_of(bench.key, bench.dsa), where=WHERE)
    assert (signed.key_id, signed.by) == (bench.dsa.key_id, "gpgv")
    assert rpm_accepts(package, bench.dsa)


def test_an_ed25519_key_is_checked_by_rpm_rs(bench: SignedPackages, tmp_path: Path) -> None:
    package = bench.copy(bench.unsigned, tmp_path / "ed25519.rpm")
    sign([package], bench.edwards)
    signed = check_package(package, keys_of(bench.edwards), where=WHERE)
    assert (signed.key_id, signed.by) == (bench.edwards.key_id, "rpm-rs")
    assert rpm_accepts(package, bench.edwards)


@pytest.mark.parametrize("digest", ["sha1", "sha512"])
def test_the_hash_of_the_signature_is_told(bench: SignedPackages, tmp_path: Path, digest: str) -> None:
    package = bench.copy(bench.unsigned, tmp_path / "hash.rpm")
    sign([package], bench.key, digest=digest)
    assert check_package(package, keys_of(bench.key), where=WHERE).hash_name == digest


def test_a_package_with_both_signatures_needs_no_gpgv(bench: SignedPackages, tmp_path: Path) -> None:
    package = bench.copy(bench.unsigned, tmp_path / "both.rpm")
    sign([package], bench.key, v3=True)
    assert check_package(package, keys_of(bench.key), where=WHERE, gpgv=Gpgv(str(tmp_path))).by == "rpm-rs"


@pytest.mark.parametrize("shape", ["modern", "rpmv3"])
def test_a_subkey_signs_for_its_primary_key(bench: SignedPackages, tmp_path: Path, shape: str) -> None:
    key, subkey = bench.home.make_key(f"With a subkey {shape}").with_signing_subkey()
    package = bench.copy(bench.unsigned, tmp_path / "subkey.rpm")
    sign([package], key, v3=True)
    if shape == "rpmv3":
        parts = take_apart(package.read_bytes())
        package.write_bytes(parts.without_signatures(SIG_RSA_HEADER).joined())
    signed = check_package(package, keys_of(key), where=WHERE)
    assert signed.key_id == subkey[-16:].lower()
    assert signed.fingerprint == key.fingerprint.lower()
    assert signed.by == ("rpm-rs" if shape == "modern" else "gpgv")


def test_a_binary_key_file_serves_rpm_rs_and_gpgv(bench: SignedPackages) -> None:
    keys = read_keys(bench.key.binary, "key.gpg")
    assert check_package(bench.modern, keys, where=WHERE).by == "rpm-rs"
    assert check_package(bench.el7, keys, where=WHERE).by == "gpgv"


def test_our_armor_is_read_by_rpm_and_gpg(bench: SignedPackages, tmp_path: Path) -> None:
    for key in (bench.key, bench.dsa, bench.edwards):
        exported = tmp_path / "RPM-GPG-KEY-exported"
        exported.write_bytes(read_keys(key.binary, "key.gpg")[0].armored)
        subprocess.run(["rpmkeys", "--dbpath", str(tmp_path / "db"), "--import", str(exported)], check=True)
        shown = bench.home.gpg("--with-colons", "--show-keys", str(exported)).decode()
        assert f":{key.fingerprint}:" in shown
    listed = subprocess.run(
        ["rpm", "--dbpath", str(tmp_path / "db"), "-qa"], check=True, capture_output=True, text=True
    ).stdout
    assert {line.split("-")[2] for line in listed.splitlines()} == {
        key.key_id[-8:] for key in (bench.key, bench.dsa, bench.edwards)
    }


@pytest.mark.parametrize("version", ["V4", "V6"])
def test_packages_of_rpm_6_are_authenticated(bench: SignedPackages, tmp_path: Path, version: str) -> None:
    """Their signatures are base64 in one entry; rpm-rs makes them, since the rpm of this machine is too old."""
    secret = bench.home.gpg("--armor", "--export-secret-keys", bench.key.fingerprint)
    builder = rpm_rs.PackageBuilder("new", "1.0", "Apache-2.0", "noarch", "Test package")
    builder.using_config(rpm_rs.BuildConfig(format=getattr(rpm_rs.RpmFormat, version)))
    package = tmp_path / "new.rpm"
    builder.build_and_sign(rpm_rs.Signer(secret)).write_file(package)
    signed = check_package(package, keys_of(bench.stranger, bench.key), where=WHERE)
    assert (signed.key_id, signed.by) == (bench.key.key_id, "rpm-rs")

    whole = package.read_bytes()
    package.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(IntegrityError) as caught:
        check_package(package, keys_of(bench.key), where=WHERE)
    assert caught.value.id is ErrorId.RPM_SIGNATURE_BAD


def test_the_summary_of_a_package_is_read(bench: SignedPackages) -> None:
    about = package_summary(bench.el7, where=WHERE)
    assert (str(about.nevra), about.summary) == ("app-1:2.1-3.noarch", "Test package app")
    assert (about.build_time, about.installed_size) == (1_600_000_000, len(PAYLOAD))


# --- who may sign ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["modern", "el7"])
def test_another_vendors_package_is_refused(bench: SignedPackages, tmp_path: Path, shape: str) -> None:
    error = refusal(bench.copy(getattr(bench, shape), tmp_path / "foreign.rpm"), bench.stranger, bench.dsa)
    assert error.id is ErrorId.RPM_KEY_UNKNOWN
    assert error.got == bench.key.key_id
    assert f"{bench.stranger.key_id} (Stranger)" in error.want
    assert f"{bench.dsa.key_id} (Vendor (DSA))" in error.want


@pytest.mark.parametrize("shape", ["modern", "el7"])
def test_an_unsigned_package_is_refused(bench: SignedPackages, tmp_path: Path, shape: str) -> None:
    package = bench.copy(bench.unsigned, tmp_path / "unsigned.rpm")
    if shape == "el7":
        el7_shape(package, None)
    assert refusal(package, bench.key).id is ErrorId.RPM_UNSIGNED


def test_a_foreign_signature_that_claims_an_accepted_key_is_bad(bench: SignedPackages, tmp_path: Path) -> None:
    package = el7_shape(bench.copy(bench.unsigned, tmp_path / "claims.rpm"), bench.stranger)
    claimed, real = (bytes.fromhex(key.key_id) for key in (bench.key, bench.stranger))
    package.write_bytes(package.read_bytes().replace(real, claimed))
    assert refusal(package, bench.key).id is ErrorId.RPM_SIGNATURE_BAD


@pytest.mark.parametrize("shape", ["modern", "el7"])
def test_an_expired_key_is_judged_at_the_signatures_time(bench: SignedPackages, tmp_path: Path, shape: str) -> None:
    made = bench.home.make_key(f"Expires {shape}", created="2015-01-01")
    signs: Callable[[Path, str], object] = (
        (lambda path, at: sign([path], made, at=at))
        if shape == "modern"
        else (lambda path, at: el7_shape(path, made, at=at))
    )
    paths = {at: bench.copy(bench.unsigned, tmp_path / f"{at}.rpm") for at in ("2018-06-01", "2020-06-01")}
    for at, path in paths.items():
        signs(path, at)
    keys = keys_of(made.expiring("2019-01-01"))
    assert check_package(paths["2018-06-01"], keys, where=WHERE).key_id == made.key_id
    with pytest.raises(IntegrityError, match=f"key {made.key_id} expired on 2019-01-01") as caught:
        check_package(paths["2020-06-01"], keys, where=WHERE)
    assert caught.value.id is ErrorId.RPM_SIGNATURE_BAD
    assert "signature of 2020-06-01" in str(caught.value)


def test_a_signature_older_than_its_key_is_refused(bench: SignedPackages, tmp_path: Path) -> None:
    package = el7_shape(bench.copy(bench.unsigned, tmp_path / "old.rpm"), bench.key, at="2001-01-01")
    with pytest.raises(IntegrityError, match="was only made on"):
        check_package(package, keys_of(bench.key), where=WHERE)


def test_a_revoked_key_is_refused(bench: SignedPackages) -> None:
    made = bench.home.make_key("Revoked")
    package = bench.copy(bench.unsigned, bench.directory / "revoked.rpm")
    sign([package], made)
    prepared = bench.home.directory / "openpgp-revocs.d" / f"{made.fingerprint}.rev"
    certificate = re.sub(r"^:(?=-----)", "", prepared.read_text(), flags=re.MULTILINE)
    bench.home.gpg("--import", data=certificate.encode())
    revoked = read_keys(bench.home.public(made.fingerprint), "revoked")
    with pytest.raises(IntegrityError, match=f"key {made.key_id} is revoked"):
        check_package(package, revoked, where=WHERE)
    assert check_package(package, keys_of(made), where=WHERE).key_id == made.key_id


def test_a_signature_over_md5_is_refused(bench: SignedPackages, tmp_path: Path) -> None:
    package = el7_shape(bench.copy(bench.unsigned, tmp_path / "md5.rpm"), bench.key, digest="md5")
    with pytest.raises(IntegrityError, match="hash md5 can be broken"):
        check_package(package, keys_of(bench.key), where=WHERE)


# --- clients ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ["modern", "el7"])
def test_what_is_accepted_installs_with_the_exported_key(bench: SignedPackages, tmp_path: Path, shape: str) -> None:
    package = bench.copy(getattr(bench, shape), tmp_path / "app.rpm")
    key_file = tmp_path / "RPM-GPG-KEY-exported"
    key_file.write_bytes(keys_of(bench.key)[0].armored)
    repository = make_repository(tmp_path / "repository", [package])
    assert dnf_install(tmp_path / "root", repository.url, ["app"], key_file) == {"app-1:2.1-3.noarch"}


# --- gpgv -----------------------------------------------------------------------------------------------------------


def test_without_gpgv_an_el7_package_asks_for_it(bench: SignedPackages, tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError) as caught:
        check_package(bench.el7, keys_of(bench.key), where=WHERE, gpgv=Gpgv(search_path=str(tmp_path)))
    assert caught.value.program == "gpgv"
    assert "gnupg2" in caught.value.text()


# --- metadata -------------------------------------------------------------------------------------------------------

REPOMD = b"<repomd/>\n"


@pytest.mark.parametrize("armored", [True, False], ids=["armored", "binary"])
def test_metadata_is_authenticated(bench: SignedPackages, armored: bool) -> None:
    for key in (bench.key, bench.dsa, bench.edwards):
        signature = key.detached(REPOMD, armored=armored)
        assert check_detached(REPOMD, signature, keys_of(bench.stranger, key), where="repomd.xml") == key.key_id


def test_of_two_signatures_the_accepted_one_counts(bench: SignedPackages) -> None:
    both = bench.stranger.detached(REPOMD, armored=False) + bench.key.detached(REPOMD, armored=False)
    assert check_detached(REPOMD, both, keys_of(bench.key), where="repomd.xml") == bench.key.key_id


def test_changed_metadata_is_refused(bench: SignedPackages) -> None:
    signature = bench.key.detached(REPOMD)
    with pytest.raises(IntegrityError) as caught:
        check_detached(REPOMD + b" ", signature, keys_of(bench.key), where="https://example.org/repodata/repomd.xml")
    assert caught.value.id is ErrorId.RPM_SIGNATURE_BAD
    assert caught.value.where == "https://example.org/repodata/repomd.xml"


def test_metadata_signed_by_a_stranger_is_refused(bench: SignedPackages) -> None:
    with pytest.raises(IntegrityError) as caught:
        check_detached(REPOMD, bench.stranger.detached(REPOMD), keys_of(bench.key), where="repomd.xml")
    assert caught.value.id is ErrorId.RPM_KEY_UNKNOWN
    assert bench.stranger.key_id in caught.value.got


@pytest.mark.parametrize(
    "signature",
    [b"", b"<html>", b"-----BEGIN PGP SIGNATURE-----\n\niQ", b"\x88\x05\x04\x00"],
    ids=["empty", "page", "cut-armor", "cut-packet"],
)
def test_what_is_no_signature_is_refused(bench: SignedPackages, signature: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        check_detached(REPOMD, signature, keys_of(bench.key), where="repomd.xml")
    assert caught.value.id is ErrorId.RPM_SIGNATURE_BAD


def test_metadata_signed_after_its_key_expired_is_refused(bench: SignedPackages) -> None:
    made = bench.home.make_key("Signed metadata", created="2015-01-01")
    late, timely = made.detached(REPOMD, at="2020-01-01"), made.detached(REPOMD, at="2018-01-01")
    keys = keys_of(made.expiring("2019-01-01"))
    assert check_detached(REPOMD, timely, keys, where="repomd.xml") == made.key_id
    with pytest.raises(IntegrityError, match="expired on 2019-01-01"):
        check_detached(REPOMD, late, keys, where="repomd.xml")
