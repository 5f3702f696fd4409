"""What the store lost between fetching and writing is fetched again, whoever finds out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bundler.model.damaged_blob import DamagedBlobError
from bundler.model.digest import Blob
from bundler.model.manifest import Manifest
from bundler.model.platform import Platform
from bundler.pipeline.assembling import MAX_REPAIRS, assemble
from bundler.pipeline.context import Request
from bundler.pipeline.locking import pin_manifest
from tests.fakes.build_context import build_context
from tests.fakes.notes import NoteEntry, NotesKind
from tests.fakes.progress import RecordingProgress
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundler.kinds.base import Sources
    from bundler.model.lock import LockedEntry
    from bundler.model.placement import Placement

PLATFORMS = (Platform("linux", "amd64"),)
NOTES = {"a": "one", "b": "two"}
MANIFEST = Manifest("demo", "", PLATFORMS, {}, {"notes": tuple(map(NoteEntry, NOTES))})


@dataclass(slots=True)
class ReadingKind(NotesKind):
    """Reads its blobs to place them, as repodata are made from packages; `damages` of them turn out to be bad."""

    damages: int = 0
    placed: list[str] = field(default_factory=list)

    def place(self, entries: Sequence[LockedEntry], platforms: Sequence[Platform], sources: Sources) -> list[Placement]:
        """Find out about one damaged blob at a time."""
        for artifact in (artifact for entry in entries for artifact in entry.artifacts):
            self.placed.append(artifact.key)
            blob = artifact.blobs[0]
            if self.damages:
                self.damages -= 1
                raise DamagedBlobError.of(blob, "was damaged", where=sources.store.path(blob), got="something else")
            assert sources.store.has(blob)
        return NotesKind.place(self, entries, platforms, sources)


@dataclass(frozen=True, slots=True)
class Case:
    """A lock of two notes that are in the store."""

    kind: ReadingKind
    store: MemoryStore
    progress: RecordingProgress
    directory: Path

    def assemble(self) -> int:
        """Fetch nothing but what is damaged; returns how many files the archive has."""
        context = build_context(self.directory, self.kind, store=self.store, progress=self.progress)
        lock = pin_manifest(MANIFEST, context).lock
        request = Request(self.directory / "m.yaml", {})
        output = self.directory / "demo.tar.gz"
        return assemble(MANIFEST, b"version: 1\n", lock, output, request, context, b"".join).files


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """A store with everything in it."""
    store = MemoryStore(tmp_path / "store")
    for text in NOTES.values():
        store.put(text.encode())
    return Case(ReadingKind(dict(NOTES)), store, RecordingProgress(), tmp_path)


def test_damage_that_placing_finds_is_mended(case: Case) -> None:
    case.kind.damages = 1
    assert case.assemble() > len(NOTES)
    assert case.kind.fetched == ["a"]
    assert case.kind.placed == ["a", "a", "b"]
    assert [note for note in case.progress.notes if "damaged in the store" in note]
    assert case.progress.expected == len(NOTES["a"])


def test_damage_that_writing_finds_is_mended_without_placing_again(case: Case) -> None:
    case.store.blobs[Blob.of(b"two").digest] = b"twO"
    assert case.assemble() > len(NOTES)
    assert case.kind.fetched == ["b"]
    assert case.kind.placed == ["a", "b"]


def test_several_damaged_entries_are_mended_at_once(tmp_path: Path) -> None:
    texts = {f"note {number:02}": f"text {number}" for number in range(40)}
    store, progress = MemoryStore(tmp_path / "store"), RecordingProgress()
    for text in texts.values():
        store.put(text.encode())
    kind = ReadingKind(dict(texts))
    context = build_context(tmp_path, kind, store=store, progress=progress)
    manifest = Manifest("demo", "", PLATFORMS, {}, {"notes": tuple(map(NoteEntry, texts))})
    lock = pin_manifest(manifest, context).lock
    damaged = list(texts)[::2]
    for name in damaged:
        store.blobs[Blob.of(texts[name].encode()).digest] = b"x" * len(texts[name])
    request = Request(tmp_path / "m.yaml", {})
    assemble(manifest, b"version: 1\n", lock, tmp_path / "demo.tar.gz", request, context, b"".join)
    assert sorted(kind.fetched) == damaged
    assert len([note for note in progress.notes if "damaged in the store" in note]) == len(damaged)


def test_a_store_that_keeps_losing_bytes_is_given_up(case: Case) -> None:
    case.kind.damages = MAX_REPAIRS + 1
    with pytest.raises(DamagedBlobError):
        case.assemble()
    assert len(case.kind.fetched) == MAX_REPAIRS
    assert not (case.directory / "demo.tar.gz").exists()
