"""What a large lock takes: its values, and no second or third form of it beside them."""

from __future__ import annotations

import tracemalloc

from bundler.model.artifact import HeldTo
from bundler.model.artifacts import DECODERS
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.file_artifact import FileArtifact
from bundler.model.json_listing import BLOCK_BYTES
from bundler.model.lock import Lock, LockedEntry, decode_lock, encode_lock

COUNT = 3000


def make_lock() -> Lock:
    def entry(number: int) -> LockedEntry:
        path, blob = BundlePath(f"files/{number}"), Blob.of(b"%d" % number)
        artifact = FileArtifact(path, blob, (f"https://files.example/{number}",), blob, HeldTo("manifest"))
        return LockedEntry("files", path, blob.digest, (artifact,))

    return Lock(Digest.sha256(b""), (), {}, tuple(map(entry, range(COUNT))))


def test_a_lock_is_read_in_the_memory_of_its_values_and_written_in_that_of_its_text() -> None:
    lock = make_lock()
    tracemalloc.start()
    try:
        data = encode_lock(lock)
        written = tracemalloc.get_traced_memory()[1] - len(data)
        tracemalloc.reset_peak()
        again = decode_lock(data, DECODERS, file="m.lock.json")
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(again.entries) == COUNT
    assert written < COUNT * 250
    assert held - len(data) < COUNT * 1300
    assert peak - held < COUNT * 100 + 8 * BLOCK_BYTES


def test_what_entries_have_in_common_is_there_once() -> None:
    entries = decode_lock(encode_lock(make_lock()), DECODERS, file="m.lock.json").entries
    artifacts = [artifact for entry in entries for artifact in entry.artifacts if isinstance(artifact, FileArtifact)]
    for common in ("roles", "platforms", "held_to"):
        assert len({id(getattr(artifact, common)) for artifact in artifacts}) == 1
    assert all(artifact.download is artifact.content for artifact in artifacts)
