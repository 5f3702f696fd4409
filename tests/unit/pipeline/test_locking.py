"""What locking keeps, what it moves, and when lock and manifest disagree."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ManifestError, SourceError
from bundler.model.digest import Digest
from bundler.model.lock import Lock, LockedEntry, decode_lock, encode_lock
from bundler.model.manifest import Manifest
from bundler.model.platform import Platform
from bundler.pipeline.agreement import disagreements, require_answers
from bundler.pipeline.locking import ENTRIES_AT_ONCE, pin_manifest
from bundler.pipeline.narrowing import narrow_lock
from bundler.pipeline.updating import Earlier, earlier_pins, entries_to_update
from tests.fakes.build_context import build_context
from tests.fakes.notes import NoteArtifact, NoteEntry, NotesKind
from tests.unit.model.rpm.test_artifact import RPM

if TYPE_CHECKING:
    from pathlib import Path

AMD64 = Platform("linux", "amd64")


def manifest_of(*entries: NoteEntry, name: str = "demo", variables: dict[str, str] | None = None) -> Manifest:
    return Manifest(name, "", (AMD64,), variables or {}, {"notes": entries})


def locked(
    kind: NotesKind, manifest: Manifest, tmp_path: Path, previous: Lock | None = None, update: tuple[str, ...] = ()
) -> Lock:
    pinned = pin_manifest(manifest, build_context(tmp_path, kind, jobs=2), previous=previous, update=update)
    assert pinned.failure is None
    return pinned.lock


def test_a_new_entry_moves_no_other_pin(tmp_path: Path) -> None:
    kind = NotesKind({"a": "one", "b": "two"})
    before = locked(kind, manifest_of(NoteEntry("a")), tmp_path)
    kind.upstream["a"] = "one, changed upstream"
    after = locked(kind, manifest_of(NoteEntry("a"), NoteEntry("b")), tmp_path, before)
    assert after.entry("notes", "a") == before.entry("notes", "a")
    assert after.entry("notes", "b") is not None
    assert kind.locked == ["a", "b"]


def test_an_entry_is_found_by_the_other_names_of_its_artifacts() -> None:
    entry = LockedEntry("rpms", "yum", Digest.sha256(b""), (RPM,))
    lock = Lock(Digest.sha256(b""), (AMD64,), {}, (entry,))
    for pattern in ("docker-ce", "docker", "docker-*.x86_64", "yum/docker-ce.x86_64", "yum"):
        assert entries_to_update(lock, [pattern]) == {("rpms", "yum")}
    with pytest.raises(ManifestError, match="no locked entry is called 'ocker'"):
        entries_to_update(lock, ["ocker"])


def test_an_artifact_named_by_update_moves_and_the_others_of_its_entry_are_kept() -> None:
    lib = replace(RPM, nevra=replace(RPM.nevra, name="lib"), repo="base")
    entry = LockedEntry("rpms", "yum", Digest.sha256(b""), (RPM, lib))
    for pattern in ("docker-ce", "docker", "docker-*.x86_64", str(RPM.nevra), "yum/docker-*"):
        assert earlier_pins(entry, [pattern]) == Earlier(kept=(lib,), moved=(RPM,))
    assert earlier_pins(entry, ["docker-ce", "lib"]) == Earlier(moved=(RPM, lib))
    assert earlier_pins(entry, []) == earlier_pins(entry, ["other"]) == Earlier(kept=(RPM, lib))
    assert earlier_pins(entry, ["docker-ce", "yum"]) == Earlier()


def test_the_kind_is_told_the_pins_of_an_entry_whose_settings_changed(tmp_path: Path) -> None:
    kind = NotesKind({"a": "one", "b": "two"})
    before = locked(kind, manifest_of(NoteEntry("a")), tmp_path)
    locked(kind, manifest_of(NoteEntry("a", wish="new"), NoteEntry("b")), tmp_path, before)
    assert kind.kept == {"a": ["a"], "b": []}
    locked(kind, manifest_of(NoteEntry("a", wish="new")), tmp_path, before, ("a",))
    assert kind.kept["a"] == []


def test_a_kind_of_which_nothing_is_listed_changes_no_digest() -> None:
    known = manifest_of(NoteEntry("a"))
    later = Manifest(known.name, "", known.platforms, {}, {**known.entries, "charts": ()})
    assert later.digest == known.digest
    assert manifest_of(NoteEntry("b")).digest != known.digest


def test_changed_settings_are_pinned_anew(tmp_path: Path) -> None:
    kind = NotesKind({"a": "one"})
    before = locked(kind, manifest_of(NoteEntry("a")), tmp_path)
    kind.upstream["a"] = "two"
    after = locked(kind, manifest_of(NoteEntry("a", wish="new")), tmp_path, before)
    assert after.entry("notes", "a") != before.entry("notes", "a")


@pytest.mark.parametrize("pattern", ["a/note", "a/*", "*note"])
def test_update_moves_what_a_glob_names_and_nothing_else(tmp_path: Path, pattern: str) -> None:
    kind = NotesKind({"a/note": "1", "b": "1"})
    wanted = manifest_of(NoteEntry("a/note"), NoteEntry("b"))
    before = locked(kind, wanted, tmp_path)
    kind.upstream = {"a/note": "2", "b": "2"}
    after = locked(kind, wanted, tmp_path, before, (pattern,))
    assert after.entry("notes", "a/note") != before.entry("notes", "a/note")
    assert after.entry("notes", "b") == before.entry("notes", "b")


def test_update_of_an_unknown_entry_suggests_a_known_one(tmp_path: Path) -> None:
    kind = NotesKind({"keadm-amd64": "1"})
    wanted = manifest_of(NoteEntry("keadm-amd64"))
    with pytest.raises(ManifestError) as caught:
        locked(kind, wanted, tmp_path, locked(kind, wanted, tmp_path), ("keadm-amd46",))
    assert caught.value.id is ErrorId.ENTRY_UNKNOWN
    assert "keadm-amd64" in caught.value.remedy


def test_a_failing_entry_gives_no_lock(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="gone"):
        locked(NotesKind({"a": "1"}), manifest_of(NoteEntry("a"), NoteEntry("gone")), tmp_path)


def test_equal_manifest_and_lock_agree_after_a_round_trip(tmp_path: Path) -> None:
    kind = NotesKind({"a": "1", "b": "2"})
    wanted = manifest_of(NoteEntry("b"), NoteEntry("a"))
    data = encode_lock(locked(kind, wanted, tmp_path))
    again = decode_lock(data, {"notes": NoteArtifact.decode}, file="demo.lock.json")
    assert disagreements(wanted, again, {"notes": kind}) == ()
    assert encode_lock(again) == data


def test_every_disagreement_is_told(tmp_path: Path) -> None:
    kind = NotesKind({"a": "1", "gone": "2", "new": "3"})
    lock = locked(kind, manifest_of(NoteEntry("a"), NoteEntry("gone"), variables={"v": "1"}), tmp_path)
    wanted = manifest_of(NoteEntry("a", wish="other"), NoteEntry("new"), variables={"v": "2"})
    with pytest.raises(ManifestError) as caught:
        require_answers(disagreements(wanted, lock, {"notes": kind}), where="demo.lock.json")
    text = caught.value.text()
    assert caught.value.id is ErrorId.LOCK_OUTDATED
    assert "notes a was locked from other settings" in text
    assert "notes new is not in the lock" in text
    assert "notes gone is in the lock but no longer in the manifest" in text
    assert "--set v=1" in text


def test_another_name_is_a_disagreement_too(tmp_path: Path) -> None:
    kind = NotesKind({"a": "1"})
    lock = locked(kind, manifest_of(NoteEntry("a")), tmp_path)
    assert disagreements(manifest_of(NoteEntry("a"), name="other"), lock, {"notes": kind}) != ()


def test_narrowing_to_an_unlocked_platform_is_refused(tmp_path: Path) -> None:
    kind = NotesKind({"a": "1"})
    lock = locked(kind, manifest_of(NoteEntry("a")), tmp_path)
    with pytest.raises(ManifestError, match="linux/arm64") as caught:
        narrow_lock(lock, [Platform("linux", "arm64")], build_context(tmp_path, kind))
    assert caught.value.id is ErrorId.IMAGE_PLATFORM_MISSING


def test_another_order_of_entries_is_no_disagreement(tmp_path: Path) -> None:
    kind = NotesKind({"a": "1", "b": "2"})
    lock = locked(kind, manifest_of(NoteEntry("a"), NoteEntry("b")), tmp_path)
    assert disagreements(manifest_of(NoteEntry("b"), NoteEntry("a")), lock, {"notes": kind}) == ()


def test_more_entries_than_are_pinned_in_one_run_are_all_pinned_once(tmp_path: Path) -> None:
    names = [f"{number:05}" for number in range(ENTRIES_AT_ONCE + 2)]
    kind = NotesKind(dict.fromkeys(names, "same"))
    lock = locked(kind, manifest_of(*map(NoteEntry, names)), tmp_path)
    assert [entry.id for entry in lock.entries] == names
    assert sorted(kind.locked) == names
