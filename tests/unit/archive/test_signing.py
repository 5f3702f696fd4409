"""Signatures of archives and trees: made, found, carried along, and held against what they should be signatures of."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from bundler.archive.beside_archive import detached_path
from bundler.archive.bundle_removal import remove_bundle
from bundler.archive.bundle_root import opened_root
from bundler.archive.signing import sign_bundle
from bundler.archive.unpack_beside import unpack_beside
from bundler.archive.verify import verify_archive, verify_bundle, verify_tree
from bundler.errors import ErrorId, IntegrityError
from bundler.model.progress import Unwatched
from bundler.source.open_source import open_source
from bundler.trust.admission import Admission
from tests.sources import unpack
from tests.unit.archive.bundles import CONTENTS, files_below, packed, sample, tree_of
from tests.unit.archive.signed_bundles import signed_archive
from tests.unit.trust.signers import signature, signer, trusting

if TYPE_CHECKING:
    from pathlib import Path

BOTH = Admission(trusting("alice", "bob", threshold=2))
BOB = signer("bob").key.id


def verdict_of(source: Path, admission: Admission) -> list[str]:
    report = verify_bundle(source, Unwatched(), admission=admission)
    assert report.intact
    return [key.name for key in report.verdict.signers]


def test_signatures_are_members_behind_what_they_sign(tmp_path: Path) -> None:
    archive = signed_archive(tmp_path / "demo.tar.gz", "alice", "bob")
    listed = subprocess.run(["tar", "-tzf", archive], capture_output=True, text=True, check=True).stdout.split()
    assert listed[:5] == ["bundle.json", "SHA256SUMS", "SHA256SUMS.sig", f"SHA256SUMS.sig.{BOB}", "manifest.yaml"]
    again = signed_archive(tmp_path / "again.tar.gz", "alice", "bob")
    assert again.read_bytes() == archive.read_bytes()
    assert {path.name for path in tmp_path.glob("demo.tar.gz.*")} - {"demo.tar.gz.store"} == {
        "demo.tar.gz.sha256",
        "demo.tar.gz.sha256.sig",
        f"demo.tar.gz.sha256.sig.{BOB}",
    }


def test_two_have_signed_and_both_are_asked_for(tmp_path: Path) -> None:
    archive = signed_archive(tmp_path / "demo.tar.gz", "alice", "bob")
    assert verdict_of(archive, BOTH) == ["alice", "bob"]
    with open_source(str(archive), BOTH) as reader:
        assert len(reader.signatures) == 2
    unpack(archive, tmp_path / "opt", Unwatched())
    assert verdict_of(tmp_path / "opt", BOTH) == ["alice", "bob"]


@pytest.mark.parametrize("kind", ["archive", "tree"])
def test_a_second_signature_changes_nothing_that_is_there(tmp_path: Path, kind: str) -> None:
    archive = signed_archive(tmp_path / "demo.tar.gz", "alice")
    source = archive
    if kind == "tree":
        source = tmp_path / "opt"
        unpack(archive, source, Unwatched())
    before = files_below(tmp_path)
    with pytest.raises(IntegrityError):
        verify_bundle(source, Unwatched(), admission=BOTH)
    written = sign_bundle(source, [signer("bob")], Unwatched())
    assert sign_bundle(source, [signer("bob")], Unwatched())[-1:] == written[-1:]
    after = files_below(tmp_path)
    assert {path: after[path] for path in before} == before
    assert verdict_of(source, BOTH) == ["alice", "bob"]


def test_signatures_beside_an_archive_come_along(tmp_path: Path) -> None:
    archive = tmp_path / "demo.tar.gz"
    made = sample(tmp_path)
    made.write(archive)
    before = archive.read_bytes()
    sign_bundle(archive, [signer("alice"), signer("bob")], Unwatched())
    assert archive.read_bytes() == before
    unpack(archive, tmp_path / "opt", Unwatched())
    found = files_below(tmp_path / "opt")
    extra = {f"SHA256SUMS.sig.{signer(who).key.id}" for who in ("alice", "bob")}
    assert found.keys() - tree_of(made.bundle, made.store.blobs).keys() == extra
    assert verdict_of(tmp_path / "opt", BOTH) == ["alice", "bob"]
    assert verify_tree(tmp_path / "opt", Unwatched(), strict=True).intact
    sign_bundle(archive, [signer("carol")], Unwatched())
    assert unpack(archive, tmp_path / "opt", Unwatched()).present
    assert verdict_of(tmp_path / "opt", Admission(trusting("carol"))) == ["carol"]


def test_parts_are_signed_and_checked_as_the_archive_is(tmp_path: Path) -> None:
    archive = signed_archive(tmp_path / "demo.tar.gz", "alice")
    data = archive.read_bytes()
    for number in range(4):
        piece = data[number * len(data) // 4 : (number + 1) * len(data) // 4]
        archive.with_name(f"demo.tar.gz.{number:03}").write_bytes(piece)
    archive.unlink()
    sign_bundle(tmp_path / "demo.tar.gz.000", [signer("bob")], Unwatched())
    assert verdict_of(tmp_path / "demo.tar.gz.002", BOTH) == ["alice", "bob"]


def test_nobody_signs_what_is_not_whole(tmp_path: Path) -> None:
    archive = signed_archive(tmp_path / "demo.tar.gz", "alice")
    unpack(archive, tmp_path / "opt", Unwatched())
    (tmp_path / "opt/harbor/empty").write_bytes(b"x")
    other = signed_archive(tmp_path / "other.tar.gz", contents={**CONTENTS, "new": b"new"}, beside=False)
    shutil.copy(other, archive)
    for source in (archive, tmp_path / "opt"):
        with pytest.raises(IntegrityError) as caught:
            sign_bundle(source, [signer("bob")], Unwatched())
        assert caught.value.id is ErrorId.BUNDLE_DAMAGED
    assert not list(tmp_path.rglob(f"*{BOB}"))


def test_an_archive_without_a_checksum_gets_one(tmp_path: Path) -> None:
    archive = signed_archive(tmp_path / "demo.tar.gz")
    text = (tmp_path / "demo.tar.gz.sha256").read_bytes()
    (tmp_path / "demo.tar.gz.sha256").unlink()
    sign_bundle(archive, [signer("alice")], Unwatched())
    assert (tmp_path / "demo.tar.gz.sha256").read_bytes() == text
    assert verdict_of(archive, Admission(trusting("alice"))) == ["alice"]


@pytest.mark.parametrize("beside", [True, False])
def test_the_signature_of_another_bundle_is_none_of_this_one(tmp_path: Path, beside: bool) -> None:
    other = signed_archive(tmp_path / "other.tar.gz", "alice", contents={**CONTENTS, "new": b"new"})
    archive = signed_archive(tmp_path / "demo.tar.gz")
    if beside:
        shutil.copy(tmp_path / "other.tar.gz.sha256.sig", tmp_path / "demo.tar.gz.sha256.sig")
    with open_source(str(other)) as reader:
        detached_path(archive).with_name(f"demo.tar.gz.SHA256SUMS.sig.{signer('alice').key.id}").write_bytes(
            reader.signatures["SHA256SUMS.sig"]
        )
    with pytest.raises(IntegrityError) as caught:
        verify_archive(archive, Unwatched(), admission=Admission(trusting("alice")))
    assert caught.value.id is ErrorId.SIGNATURE_UNTRUSTED
    assert "no signature of this by" in caught.value.text()


def test_the_checksum_of_another_archive_is_noticed_by_who_looks_at_the_last_bit(tmp_path: Path) -> None:
    archive = signed_archive(tmp_path / "demo.tar.gz", "alice")
    (tmp_path / "other").mkdir()
    signed_archive(tmp_path / "other/demo.tar.gz", "alice", contents={**CONTENTS, "new": b"new"})
    for name in ("demo.tar.gz.sha256", "demo.tar.gz.sha256.sig"):
        shutil.copy(tmp_path / "other" / name, tmp_path / name)
    admission = Admission(trusting("alice"))
    assert verify_archive(archive, Unwatched(), admission=admission).intact
    with pytest.raises(IntegrityError, match=r"not the archive that its \.sha256 names"):
        verify_archive(archive, Unwatched(), admission=admission, exact=True)


def test_an_index_that_was_changed_with_its_sums_is_not_the_signed_one(tmp_path: Path) -> None:
    """Whoever changes a file changes bundle.json and SHA256SUMS too; what he cannot make is the signature."""
    signed = signed_archive(tmp_path / "demo.tar.gz", "alice")
    with open_source(str(signed)) as reader:
        stolen = reader.signatures["SHA256SUMS.sig"]
    forged = sample(tmp_path, {**CONTENTS, "kubeedge/keadm-amd64": b"#!/bin/sh\necho evil\n"})
    files = tree_of(forged.bundle, forged.store.blobs)
    order = ["bundle.json", "SHA256SUMS", "SHA256SUMS.sig"]
    files["SHA256SUMS.sig"] = stolen
    archive = packed(
        tmp_path / "forged.tar.gz", {path: files[path] for path in (*order, *sorted(files.keys() - set(order)))}
    )
    assert verify_archive(archive, Unwatched(), admission=Admission()).verdict.others
    with pytest.raises(IntegrityError) as caught:
        verify_archive(archive, Unwatched(), admission=Admission(trusting("alice")))
    assert caught.value.id is ErrorId.SIGNATURE_UNTRUSTED


def test_what_was_signed_before_a_new_build_is_gone_after_it(tmp_path: Path) -> None:
    out = tmp_path / "demo.tar.gz"
    sample(tmp_path).write(out)
    sign_bundle(out, [signer("alice")], Unwatched())
    kept = {path.name for path in tmp_path.iterdir()}
    sample(tmp_path).write(out)
    assert {path.name for path in tmp_path.iterdir()} == kept
    sample(tmp_path, {**CONTENTS, "new": b"new"}).write(out)
    assert [path.name for path in tmp_path.iterdir() if ".sig" in path.name] == []


def test_a_signature_of_another_name_or_size_is_none(tmp_path: Path) -> None:
    unpack(signed_archive(tmp_path / "demo.tar.gz"), tmp_path / "opt", Unwatched())
    sums = (tmp_path / "opt/SHA256SUMS").read_bytes()
    (tmp_path / "opt/SHA256SUMS.sig.alice").write_bytes(signature("alice", sums))
    (tmp_path / "opt/SHA256SUMS.sig").symlink_to("SHA256SUMS.sig.alice")
    (tmp_path / f"opt/SHA256SUMS.sig.{BOB}").write_bytes(bytes(100_000))
    with pytest.raises(IntegrityError) as caught:
        verify_tree(tmp_path / "opt", Unwatched(), admission=Admission(trusting("alice")))
    assert caught.value.id is ErrorId.SIGNATURE_MISSING


def test_a_signed_bundle_is_removed_whole(tmp_path: Path) -> None:
    archive = signed_archive(tmp_path / "demo.tar.gz", "alice", "bob")
    with open_source(str(archive)) as reader:
        name = unpack_beside(reader, tmp_path / "opt", Unwatched()).directory.name
    with opened_root(tmp_path / "opt") as root:
        assert remove_bundle(root, name).count == len(CONTENTS) + len(
            ("manifest", "lock", "index", "sums", "sig", "sig")
        )
    assert [path.name for path in (tmp_path / "opt").iterdir()] == []
