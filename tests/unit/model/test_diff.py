"""Which changes `lock_diff` sees."""

from __future__ import annotations

from bundler.model.diff import LockChange, Versions, lock_diff, lock_versions
from bundler.model.digest import Blob, Digest
from bundler.model.lock import Lock, LockedEntry
from tests.fakes.notes import NoteArtifact

SOME = Digest.sha256(b"")


def versions_of(**notes: bytes) -> Versions:
    entries = (LockedEntry("notes", key, SOME, (NoteArtifact(key, Blob.of(data)),)) for key, data in notes.items())
    return lock_versions(Lock(SOME, (), {}, tuple(entries)))


def test_equal_locks_have_no_difference() -> None:
    assert lock_diff(versions_of(a=b"1"), versions_of(a=b"1")) == ()


def test_added_removed_and_changed_are_told_in_order() -> None:
    changes = lock_diff(versions_of(a=b"1", b=b"1"), versions_of(b=b"22", c=b"333"))
    one, two, three = (str(Digest.sha256(data)) for data in (b"1", b"22", b"333"))
    assert changes == (
        LockChange("removed", "notes", "a", one, "", 1, 0),
        LockChange("changed", "notes", "b", one, two, 1, 2),
        LockChange("added", "notes", "c", "", three, 0, 3),
    )
