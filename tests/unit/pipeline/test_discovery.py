"""Entries that other entries yield: which are locked, what moves them, and which fault is told."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId, ManifestError, SourceError
from bundler.kinds import KINDS
from bundler.kinds.base import Discoverer
from bundler.model.digest import Digest
from bundler.model.lock import EntryName, Lock, encode_lock
from bundler.model.manifest import Manifest
from bundler.model.platform import Platform
from bundler.pipeline.agreement import disagreements
from bundler.pipeline.locking import Pinned, pin_manifest
from bundler.pipeline.narrowing import narrow_lock
from tests.fakes.build_context import build_context
from tests.fakes.kinds import CratesKind
from tests.fakes.notes import NoteEntry, NotesKind
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundler.kinds.base import Sources
    from bundler.model.json_value import Json
    from bundler.pipeline.context import BuildContext
    from tests.fakes.notes import NoteArtifact

PLATFORMS = (Platform("linux", "amd64"),)


@dataclass(slots=True)
class Case:
    """An upstream of crates and of the notes a to d, each saying `first` and then `second`."""

    directory: Path
    store: MemoryStore
    notes: NotesKind = field(default_factory=lambda: NotesKind({note: f"{note} first" for note in "abcd"}))
    crates: CratesKind = field(default_factory=CratesKind)

    def context(self, *, keep_going: bool = False) -> BuildContext:
        return build_context(self.directory, self.crates, self.notes, store=self.store, keep_going=keep_going)

    def publish(self, crate: str, *items: Json) -> None:
        """Let a crate yield these items from now on."""
        self.crates.upstream[crate] = json.dumps(items)

    def publish_second_notes(self) -> None:
        self.notes.upstream = {note: f"{note} second" for note in self.notes.upstream}

    def lock(self, manifest: Manifest, previous: Lock | None = None, *update: str) -> Lock:
        return pin_manifest(manifest, self.context(), previous=previous, update=update).lock

    def lock_what_can_be(self, manifest: Manifest) -> Pinned:
        return pin_manifest(manifest, self.context(keep_going=True))


class Elsewhere(CratesKind):
    """Crates that are for other platforms."""

    def narrow(self, artifact: NoteArtifact, platforms: Sequence[Platform], sources: Sources) -> None:
        """Leave nothing."""


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path, MemoryStore(tmp_path / "store"))


def wanting(crates: str = "", notes: Sequence[str | NoteEntry] = ()) -> Manifest:
    listed = tuple(note if isinstance(note, NoteEntry) else NoteEntry(note) for note in notes)
    return Manifest("demo", "", PLATFORMS, {}, {"notes": listed, "crates": tuple(map(NoteEntry, crates.split()))})


def parents(lock: Lock) -> dict[str, str]:
    """Return for each note of a lock the crate that yields it, or ""."""
    notes = [entry for entry in lock.entries if entry.kind == "notes"]
    return {entry.id: entry.derived_from.id if entry.derived_from else "" for entry in notes}


def texts(lock: Lock) -> dict[str, str]:
    """Return for each note of a lock which of its texts it is pinned to."""
    known = {str(Digest.sha256(f"{note} {text}".encode())): text for note in "abcd" for text in ("first", "second")}
    notes = [entry for entry in lock.entries if entry.kind == "notes"]
    return {entry.id: known[artifact.version] for entry in notes for artifact in entry.artifacts}


def test_what_an_entry_yields_is_locked_with_its_parent(case: Case) -> None:
    case.publish("box", "a", {"id": "b", "wish": "red"})
    lock = case.lock(wanting("box", ["c"]))
    assert parents(lock) == {"a": "box", "b": "box", "c": ""}
    written = {entry["id"]: entry.get("from") for entry in json.loads(encode_lock(lock))["entries"]}
    parent = {"kind": "crates", "id": "box"}
    assert written == {"box": None, "a": parent, "b": parent, "c": None}
    # what is yielded is locked as if the manifest had listed it
    listed = case.lock(wanting("", ["a", NoteEntry("b", "red")]))
    for note in "ab":
        derived, own = lock.entry("notes", note), listed.entry("notes", note)
        assert derived is not None
        assert own is not None
        assert (derived.fingerprint, derived.artifacts) == (own.fingerprint, own.artifacts)


def test_the_lock_of_kinds_that_discover_nothing_says_nothing_of_it(case: Case) -> None:
    assert not any(isinstance(kind, Discoverer) for kind in KINDS.values())
    assert b'"from"' not in encode_lock(case.lock(wanting("", ["a", "b"])))


@pytest.mark.parametrize("written", ["a", "A"])
def test_what_the_manifest_lists_itself_stays_the_manifests(case: Case, written: str) -> None:
    case.notes.upstream["A"] = "a first"
    case.publish("box", {"id": "a", "wish": "another"}, "b")
    assert parents(case.lock(wanting("box", [written]))) == {written: "", "b": "box"}


def test_what_is_no_longer_yielded_leaves_the_lock(case: Case) -> None:
    case.publish("box", "a", "b")
    before = case.lock(wanting("box"))
    case.publish("box", "b")
    assert parents(case.lock(wanting("box"), before)) == {"a": "box", "b": "box"}
    assert parents(case.lock(wanting("box"), before, "box")) == {"b": "box"}
    assert parents(case.lock(wanting(""), before)) == {}


def test_pins_hold_as_those_of_the_manifest_do(case: Case) -> None:
    case.publish("box", "a")
    before = case.lock(wanting("box"))
    case.publish_second_notes()
    case.publish("box", "a", "b")
    assert encode_lock(case.lock(wanting("box"), before)) == encode_lock(before)
    # its settings have changed: it is pinned anew, and what it yielded before has not moved
    changed = Manifest("demo", "", PLATFORMS, {}, {"crates": (NoteEntry("box", "other"),)})
    assert texts(case.lock(changed, before)) == {"a": "first", "b": "second"}


def test_what_an_entry_yields_moves_with_it(case: Case) -> None:
    case.publish("box", "a", "b")
    case.publish("bag", "c")
    before = case.lock(wanting("box bag", ["b", "d"]))
    case.publish_second_notes()
    after = case.lock(wanting("box bag", ["b", "d"]), before, "box")
    assert texts(after) == {"a": "second", "b": "first", "c": "first", "d": "first"}
    assert case.notes.kept["a"] == []


def test_a_derived_entry_moves_alone_and_its_parent_is_read_as_it_is_pinned(case: Case) -> None:
    case.publish("box", "a", "b")
    before = case.lock(wanting("box"))
    case.publish_second_notes()
    case.publish("box", "c")
    after = case.lock(wanting("box"), before, "a")
    assert texts(after) == {"a": "second", "b": "first"}
    assert after.entry("crates", "box") == before.entry("crates", "box")


def test_the_manifest_takes_an_entry_over_and_gives_it_back_without_moving_it(case: Case) -> None:
    case.publish("box", "a")
    before = case.lock(wanting("box"))
    case.publish_second_notes()
    taken = case.lock(wanting("box", ["a"]), before)
    given_back = case.lock(wanting("box"), taken)
    assert (parents(taken), parents(given_back)) == ({"a": ""}, {"a": "box"})
    assert texts(taken) == texts(given_back) == {"a": "first"}


def test_what_two_yield_alike_is_locked_once(case: Case) -> None:
    case.notes.upstream["A"] = "a first"
    case.publish("box", "a", "a")
    case.publish("bag", "a")
    assert parents(case.lock(wanting("box bag"))) == parents(case.lock(wanting("bag box"))) == {"a": "bag"}
    case.publish("box", "A")
    assert parents(case.lock(wanting("box bag"))) == {"a": "bag"}


def test_two_that_yield_one_thing_in_different_settings_are_refused(case: Case) -> None:
    case.publish("box", {"id": "a", "wish": "red"})
    case.publish("bag", {"id": "a", "wish": "blue"}, "b")
    with pytest.raises(ManifestError, match="crates bag and crates box yield notes a in different") as caught:
        case.lock(wanting("box bag"))
    assert caught.value.id is ErrorId.MANIFEST_INVALID
    told = case.lock_what_can_be(wanting("box bag"))
    assert parents(told.lock) == {"b": "bag"}
    assert str(told.failure) == str(caught.value)
    assert parents(case.lock(wanting("box bag", ["a"]))) == {"a": "", "b": "bag"}


def test_a_derived_entry_yields_nothing(case: Case) -> None:
    case.publish("box", {"crates": "bag"})
    case.publish("bag", "a")
    lock = case.lock(wanting("box"))
    assert [(entry.id, entry.derived_from) for entry in lock.entries] == [
        ("bag", EntryName("crates", "box")),
        ("box", None),
    ]
    assert case.crates.asked == ["box"]


@pytest.mark.parametrize(
    ("item", "why"),
    [(7, "a note: want a string"), ({"id": "a", "colour": "red"}, "unknown key 'colour'"), ({}, "lacks the key 'id'")],
)
def test_an_item_that_cannot_be_read_is_its_parents_failure(case: Case, item: Json, why: str) -> None:
    case.publish("box", item, "a")
    case.publish("bag", "b")
    with pytest.raises(SourceError, match=why) as caught:
        case.lock(wanting("box bag", ["c"]))
    assert caught.value.id is ErrorId.SOURCE_INVALID
    assert "crates box yields an entry of notes" in caught.value.what
    assert caught.value.where == "manifest.yaml:1:1"
    told = case.lock_what_can_be(wanting("box bag", ["c"]))
    assert parents(told.lock) == {"b": "bag", "c": ""}
    assert isinstance(told.failure, SourceError)


def test_one_that_cannot_be_pinned_fails_as_one_of_the_manifest_does(case: Case) -> None:
    case.publish("box", "gone", "a")
    with pytest.raises(SourceError, match="gone: is not there"):
        case.lock(wanting("box"))
    told = case.lock_what_can_be(wanting("box", ["absent"]))
    assert parents(told.lock) == {"a": "box"}
    assert isinstance(told.failure, BundlerError)
    assert told.failure.where == "absent"


def test_a_lock_with_derived_entries_answers_its_manifest(case: Case) -> None:
    case.publish("box", "a", "b")
    lock = case.lock(wanting("box"))
    kinds = case.context().kinds
    assert disagreements(wanting("box"), lock, kinds) == ()
    assert "notes a is in the lock only as what crates box yields" in "".join(
        disagreements(wanting("box", ["a"]), lock, kinds)
    )
    assert disagreements(wanting(""), lock, kinds) == ("crates box is in the lock but no longer in the manifest",)


def test_a_parent_of_which_nothing_is_left_stays_for_what_it_yields(case: Case) -> None:
    case.crates = Elsewhere()
    case.publish("box", "a")
    case.publish("empty")
    left = narrow_lock(case.lock(wanting("box empty")), PLATFORMS, case.context())
    assert [(entry.id, len(entry.artifacts)) for entry in left.entries] == [("box", 0), ("a", 1)]
