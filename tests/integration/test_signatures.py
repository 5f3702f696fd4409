"""Signatures with other people's programs: openssl makes keys and checks signatures, rpm compares releases."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bundler.archive.archive_files import archive_files
from bundler.archive.verify import verify_archive
from bundler.carry.part_writer import parts_output
from bundler.carry.splitting import split_archive
from bundler.errors import BundlerError, IntegrityError
from bundler.model.progress import Unwatched
from bundler.model.release_order import is_older
from bundler.trust.admission import Admission
from bundler.trust.signing_key import read_signing_key
from bundler.trust.trusted_directory import read_public_key
from tests.contract.checkout import ROOT
from tests.sources import unpack
from tests.unit.archive.bundles import CONTENTS
from tests.unit.archive.signed_bundles import signed_archive
from tests.unit.trust.signers import signer, trusting, written

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


def openssl(*words: object, code: int = 0) -> bytes:
    done = subprocess.run(["openssl", *map(str, words)], capture_output=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr
    return done.stdout


@pytest.mark.parametrize("form", ["SEC 1", "PKCS #8"])
def test_openssl_s_own_keys_sign_and_are_trusted(tmp_path: Path, form: str) -> None:
    """As its manual page does it; every option here is one of OpenSSL 1.0.2."""
    private, public = tmp_path / "a.key", tmp_path / "a.pem"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", private)
    if form == "PKCS #8":
        openssl("pkcs8", "-topk8", "-nocrypt", "-in", private, "-out", tmp_path / "b.key")
        private = tmp_path / "b.key"
    private.chmod(0o600)
    openssl("ec", "-in", private, "-pubout", "-out", public)
    key = read_signing_key(private)
    assert key.key == read_public_key(public)
    assert key.key.pem == public.read_bytes()
    der = openssl("pkey", "-pubin", "-in", public, "-outform", "DER")
    assert der == key.key.der


def test_openssl_verifies_what_we_sign_and_nothing_else(tmp_path: Path) -> None:
    archive = signed_archive(tmp_path / "demo.tar.gz", "alice", "bob")
    unpack(archive, tmp_path / "opt", Unwatched())
    sums, bob = tmp_path / "opt/SHA256SUMS", signer("bob").key.id
    signed = (
        (sums, "alice", tmp_path / "opt/SHA256SUMS.sig"),
        (sums, "bob", tmp_path / f"opt/SHA256SUMS.sig.{bob}"),
        (tmp_path / "demo.tar.gz.sha256", "alice", tmp_path / "demo.tar.gz.sha256.sig"),
        (tmp_path / "demo.tar.gz.sha256", "bob", tmp_path / f"demo.tar.gz.sha256.sig.{bob}"),
    )
    for text, name, made in signed:
        _, public = written(tmp_path, name)
        assert openssl("dgst", "-sha256", "-verify", public, "-signature", made, text) == b"Verified OK\n"
        _, other = written(tmp_path, "mallory")
        openssl("dgst", "-sha256", "-verify", other, "-signature", made, text, code=1)


def test_what_openssl_signs_is_believed(tmp_path: Path) -> None:
    archive = signed_archive(tmp_path / "demo.tar.gz")
    unpack(archive, tmp_path / "opt", Unwatched())
    private, _ = written(tmp_path, "alice")
    made = tmp_path / f"demo.tar.gz.SHA256SUMS.sig.{signer('alice').key.id}"
    openssl("dgst", "-sha256", "-sign", private, "-out", made, tmp_path / "opt/SHA256SUMS")
    report = verify_archive(archive, Unwatched(), admission=Admission(trusting("alice")))
    assert [key.name for key in report.verdict.signers] == ["alice"]
    made.write_bytes(made.read_bytes()[:-1])
    with pytest.raises(IntegrityError):
        verify_archive(archive, Unwatched(), admission=Admission(trusting("alice")))


def test_a_thousand_flipped_bits_are_found_and_the_archive_is_named(tmp_path: Path) -> None:
    archive = signed_archive(tmp_path / "demo.tar.gz", "alice")
    data, chance = bytearray(archive.read_bytes()), random.Random(16)
    assert finding(archive) == ""
    for _ in range(1000):
        at, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
        data[at] ^= bit
        archive.write_bytes(data)
        assert archive.name in finding(archive), f"bit {bit} of byte {at}"
        data[at] ^= bit


def test_a_thousand_flipped_bytes_of_a_split_set_are_found_and_the_part_is_named(tmp_path: Path) -> None:
    archive = signed_archive(
        tmp_path / "demo.tar.gz", "alice", contents={**CONTENTS, "x": random.Random(3).randbytes(9000)}
    )
    parts = split(archive, tmp_path / "parts", 2000)
    chance = random.Random(17)
    assert len(parts) > 3
    assert finding(parts[0]) == ""
    for _ in range(1000):
        part = chance.choice(parts)
        data = part.read_bytes()
        at = chance.randrange(len(data))
        part.write_bytes(data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :])
        assert part.name in finding(parts[0]), f"byte {at} of {part.name}"
        part.write_bytes(data)


def split(archive: Path, directory: Path, part_bytes: int) -> tuple[Path, ...]:
    """Return the parts of an archive, smaller ones than people may ask for."""
    directory.mkdir()
    files = archive_files(archive)
    return split_archive(files, directory / archive.name, parts_output(part_bytes), Unwatched()).files


def finding(archive: Path) -> str:
    """Return what is found of an archive that alice has signed; "" for nothing."""
    try:
        report = verify_archive(archive, Unwatched(), admission=Admission(trusting("alice")))
    except BundlerError as error:
        return f"{error} {error.problems}" if isinstance(error, IntegrityError) else str(error)
    return "" if report.intact else f"{report.where}: {report.changed}"


@pytest.mark.parametrize("action", ["verify", "unpack"])
def test_nobody_is_asked_over_the_network(tmp_path: Path, action: str) -> None:
    """In a namespace without any network, and with every system call that could reach one written down."""
    archive = signed_archive(tmp_path / "demo.tar.gz", "alice")
    _, public = written(tmp_path, "alice")
    words = [sys.executable, "-m", "bundler", action, archive, "--key", public]
    words += ["-C", tmp_path / "opt"] if action == "unpack" else []
    trace = ["strace", "-f", "-e", "trace=%network", "-o", tmp_path / "calls", "--"]
    done = subprocess.run(
        ["unshare", "--net", *map(str, [*trace, *words])],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "signed by alice" in done.stdout
    calls = [line for line in (tmp_path / "calls").read_text().splitlines() if "(" in line]
    assert calls == []


def test_releases_are_ordered_as_rpm_orders_them() -> None:
    chance = random.Random(7)
    words = ["2025", "03", "3", "10", "9", "rc", "a", "B", "0", "00", ".", "_", ".."]
    releases = ["", *("".join(chance.choices(words, k=chance.randrange(1, 6))) for _ in range(400))]
    pairs = [tuple(chance.choices(releases, k=2)) for _ in range(2000)]
    program = "".join(f'print(rpm.vercmp("{one}", "{other}") .. " ")\n' for one, other in pairs if one and other)
    done = subprocess.run(
        ["rpm", "--eval", f"%{{lua:{program}}}"], capture_output=True, text=True, check=True, timeout=60
    )
    ordered = dict(zip([pair for pair in pairs if all(pair)], map(int, done.stdout.split()), strict=True))
    assert {pair: (is_older(*pair), is_older(*pair[::-1])) for pair in ordered} == {
        pair: (order < 0, order > 0) for pair, order in ordered.items()
    }
