"""Parts of an archive with signatures beside them, wherever each of them lies."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from bundler.archive.archive_files import archive_files
from bundler.archive.archive_output import one_file
from bundler.archive.gzip_block import MEMBER_BYTES
from bundler.archive.part_set import PartPlaces
from bundler.archive.signing import sign_bundle
from bundler.archive.verify import verify_bundle
from bundler.carry.part_writer import parts_output
from bundler.carry.splitting import split_archive
from bundler.errors import ErrorId, IntegrityError
from bundler.model.progress import Unwatched
from bundler.source.open_source import open_source
from bundler.trust.admission import Admission
from tests.unit.archive.bundles import CONTENTS, sample
from tests.unit.carry.carried import spoil
from tests.unit.trust.signers import signer, trusting

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.archive.archive_output import OpenOutput

PART = 100_000
LARGE = {**CONTENTS, "random": random.Random(5).randbytes(3 * PART)}
ALICE = Admission(trusting("alice"))
ID = signer("alice").key.id
BESIDE = {"demo.tar.gz.sha256.sig", f"demo.tar.gz.SHA256SUMS.sig.{ID}"}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The name of an archive that lies in parts, alone in a directory, and was signed there."""
    out = tmp_path / "made" / "demo.tar.gz"
    out.parent.mkdir()
    sample(tmp_path, LARGE).write(out, open_output=parts_output(PART))
    sign_bundle(out.with_name("demo.tar.gz.002"), [signer("alice")], Unwatched())
    return out


def signatures(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if ".sig" in path.name}


def test_parts_are_signed_beside_them(out: Path) -> None:
    assert signatures(out.parent) == BESIDE
    for source in (out, out.parent, out.with_name("demo.tar.gz.001")):
        with open_source(str(source), ALICE) as reader:
            assert reader.signatures


@pytest.mark.parametrize("open_output", [one_file, parts_output(PART), parts_output(None)])
def test_a_new_build_takes_the_signatures_of_another_one_away(
    tmp_path: Path, out: Path, open_output: OpenOutput
) -> None:
    sample(tmp_path / "same", LARGE).write(out, open_output=open_output)
    assert signatures(out.parent) == BESIDE
    sample(tmp_path / "other", {**LARGE, "new": b"new"}).write(out, open_output=open_output)
    assert signatures(out.parent) == set()


def test_signatures_are_found_on_whichever_medium_they_lie(tmp_path: Path, out: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    for name in (*BESIDE, "demo.tar.gz.001", "demo.tar.gz.sha256"):
        out.with_name(name).rename(second / name)
    places = PartPlaces((tmp_path / "absent", second))
    found = archive_files(out.with_name("demo.tar.gz.000"), places)
    assert verify_bundle(found, Unwatched(), admission=ALICE, exact=True).verdict.signers == (signer("alice").key,)
    with open_source(str(out.parent), ALICE, places) as reader:
        assert reader.signatures
    for admission in (Admission(trusting("bob")), Admission(trusting("alice", "bob", threshold=2))):
        with pytest.raises(IntegrityError) as caught:
            verify_bundle(found, Unwatched(), admission=admission)
        assert caught.value.id is ErrorId.SIGNATURE_UNTRUSTED


@pytest.mark.parametrize("checksum", [True, False])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_splitting_takes_signatures_along(tmp_path: Path, out: Path, elsewhere: bool, checksum: bool) -> None:
    if not checksum:
        out.with_name("demo.tar.gz.sha256").unlink()
    there = tmp_path / "usb" / out.name if elsewhere else out
    there.parent.mkdir(exist_ok=True)
    split_archive(archive_files(out), there, parts_output(2 * PART, keep_whole=True), Unwatched())
    assert signatures(there.parent) == BESIDE
    assert verify_bundle(there, Unwatched(), admission=ALICE).verdict.signers == (signer("alice").key,)


def test_a_damaged_part_is_named_although_signatures_are_asked_for(out: Path) -> None:
    spoil(out.with_name("demo.tar.gz.001"), 1000)
    with pytest.raises(IntegrityError) as caught:
        verify_bundle(out, Unwatched(), admission=ALICE)
    assert caught.value.id is ErrorId.BUNDLE_DAMAGED
    assert "demo.tar.gz.001" in caught.value.text()


def test_parts_are_not_looked_through_where_nobody_has_signed(tmp_path: Path) -> None:
    out, large = tmp_path / "demo.tar.gz", {"random": random.Random(5).randbytes(8 * MEMBER_BYTES)}
    written = sample(tmp_path / "store", large).write(out, open_output=parts_output(MEMBER_BYTES))
    spoil(written.files[-1], 10, 10)
    with pytest.raises(IntegrityError) as caught, open_source(str(out), ALICE):
        pass
    assert caught.value.id is ErrorId.SIGNATURE_MISSING
