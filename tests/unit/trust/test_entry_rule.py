from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, IntegrityError, SiteError
from bundler.trust.admission import Admission
from bundler.trust.entry_rule import EntryRule
from bundler.trust.seen_file import read_seen, remember_release
from bundler.trust.seen_releases import SeenBundle
from bundler.trust.signature_verdict import NOT_SIGNED, JudgedSignature, SignatureVerdict
from tests.unit.trust.signers import signer, trusting

if TYPE_CHECKING:
    from pathlib import Path

SIGNED = SignatureVerdict((JudgedSignature("x", "holds", signer("alice").key),), 1, 1)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="root alone writes down what was seen")


def rule(path: Path, *, policy: bool = True, older: bool = False, unsigned: bool = False) -> EntryRule:
    return EntryRule(Admission(trusting("alice", has_policy=policy), unsigned), older, path / "state/seen.json")


def seen(release: str) -> SeenBundle:
    return SeenBundle(release, "ab" * 32)


@as_root
def test_a_site_does_not_go_back(tmp_path: Path) -> None:
    entry = rule(tmp_path)
    assert "is not there" in entry.require("plant", "2025.03", "a.tar.gz")
    entry.record(SIGNED, "plant", seen("2025.03"))
    assert entry.require("plant", "2025.03", "a.tar.gz") == ""
    entry.require("plant", "2025.04", "b.tar.gz")
    entry.record(SIGNED, "plant", seen("2025.04"))
    for older in ("2025.03", "2024.12", ""):
        with pytest.raises(IntegrityError) as caught:
            entry.require("plant", older, "a.tar.gz")
        assert caught.value.id is ErrorId.BUNDLE_OLDER
        assert caught.value.want == "2025.04 (bundle abababababab) or newer"
    entry.require("other", "1", "c.tar.gz")
    rule(tmp_path, older=True).require("plant", "2025.03", "a.tar.gz")


@as_root
def test_an_older_one_that_was_let_in_changes_nothing(tmp_path: Path) -> None:
    rule(tmp_path).record(SIGNED, "plant", seen("2"))
    rule(tmp_path, older=True).record(SIGNED, "plant", seen("1"))
    with pytest.raises(IntegrityError):
        rule(tmp_path).require("plant", "1", "a.tar.gz")


@as_root
def test_what_nobody_signed_is_not_written_down(tmp_path: Path) -> None:
    rule(tmp_path, unsigned=True).record(NOT_SIGNED, "plant", seen("9999"))
    rule(tmp_path, unsigned=True).record(
        SignatureVerdict((JudgedSignature("x", "unknown"),), 1, 1), "plant", seen("9999")
    )
    rule(tmp_path, policy=False).record(SIGNED, "plant", seen("9999"))
    assert read_seen(tmp_path / "state/seen.json") is None


@as_root
def test_without_a_policy_there_is_no_rule(tmp_path: Path) -> None:
    rule(tmp_path).record(SIGNED, "plant", seen("2"))
    assert rule(tmp_path, policy=False).require("plant", "1", "a.tar.gz") == ""


@as_root
def test_a_record_that_is_none_is_an_error_and_not_a_fresh_start(tmp_path: Path) -> None:
    file = tmp_path / "seen.json"
    for text in (
        "",
        "{}",
        '{"format": 2, "newest": {}}',
        '{"format": 1, "newest": {"a": 7}}',
        '{"format": 1, "newest": []}',
    ):
        file.write_text(text)
        with pytest.raises(SiteError) as caught:
            read_seen(file)
        assert caught.value.id is ErrorId.TRUST_INVALID
        with pytest.raises(SiteError):
            remember_release("plant", seen("1"), file)
        assert file.read_text() == text


@as_root
def test_others_may_not_have_written_it(tmp_path: Path) -> None:
    remember_release("plant", seen("1"), tmp_path / "seen.json")
    assert json.loads((tmp_path / "seen.json").read_text())["newest"]["plant"]["release"] == "1"
    (tmp_path / "seen.json").chmod(0o664)
    with pytest.raises(SiteError, match="written to by others"):
        read_seen(tmp_path / "seen.json")
