"""What a large lock takes: its values, and no second or third form of it beside them."""

from __future__ import annotations

import tracemalloc

import pytest

from bundler.errors import ManifestError
from bundler.model.artifact import HeldTo
from bundler.model.artifacts import DECODERS
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.file_artifact import FileArtifact
from bundler.model.json_listing import BLOCK_BYTES
from bundler.model.lock import Lock, LockedEntry, decode_lock, encode_lock, lock_pieces

COUNT = 3000


def make_lock() -> Lock:
    def entry(number: int) -> LockedEntry:
        path, blob = BundlePath(f"files/{number}"), Blob.of(b"%d" % number)
        artifact = FileArtifact(path, blob, (f"https://files.example/{number}",), blob, HeldTo("manifest"))
        return LockedEntry("files", path, blob.digest, (artifact,))

    return Lock(Digest.sha256(b""), (), {}, tuple(map(entry, range(COUNT))))


def test_a_lock_is_read_in_the_memory_of_its_values_and_written_in_pieces() -> None:
    lock = make_lock()
    tracemalloc.start()
    try:
        assert sum(map(len, lock_pieces(lock))) > COUNT * 500
        written = tracemalloc.get_traced_memory()[1]
        data = encode_lock(lock)
        tracemalloc.reset_peak()
        again = decode_lock(data, DECODERS, file="m.lock.json")
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(again.entries) == COUNT
    assert written < COUNT * 100 + 8 * BLOCK_BYTES
    assert held - len(data) < COUNT * 900
    assert peak - held < COUNT * 100 + 8 * BLOCK_BYTES


def test_what_entries_have_in_common_is_there_once() -> None:
    entries = decode_lock(encode_lock(make_lock()), DECODERS, file="m.lock.json").entries
    artifacts = [artifact for entry in entries for artifact in entry.artifacts if isinstance(artifact, FileArtifact)]
    for common in ("roles", "platforms", "held_to"):
        assert len({id(getattr(artifact, common)) for artifact in artifacts}) == 1
    assert all(artifact.download is artifact.content for artifact in artifacts)


def test_a_long_entry_is_read_an_artifact_at_a_time() -> None:
    artifacts = tuple(artifact for entry in make_lock().entries for artifact in entry.artifacts)
    lock = Lock(Digest.sha256(b""), (), {}, (LockedEntry("files", "all", Digest.sha256(b""), artifacts),))
    data = encode_lock(lock)
    assert len(data) > 4 * BLOCK_BYTES
    tracemalloc.start()
    try:
        again = decode_lock(data, DECODERS, file="m.lock.json")
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert encode_lock(again) == data
    # the values of JSON would be 2,000 bytes an artifact
    assert peak - held < COUNT * 150 + 8 * BLOCK_BYTES


def test_a_long_entry_under_another_kind_is_refused_as_a_short_one_is() -> None:
    artifacts = tuple(artifact for entry in make_lock().entries for artifact in entry.artifacts)

    def refusal(count: int) -> str:
        entry = LockedEntry("rpms", "all", Digest.sha256(b""), artifacts[:count])
        with pytest.raises(ManifestError) as raised:
            decode_lock(encode_lock(Lock(Digest.sha256(b""), (), {}, (entry,))), DECODERS, file="m.lock.json")
        return str(raised.value)

    assert refusal(COUNT) == refusal(1)
