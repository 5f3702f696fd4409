"""Manifests of thousands of entries: bounded by what they cost, not by their bytes, and let go while they are read."""

from __future__ import annotations

import tracemalloc

from bundler.kinds import KINDS
from bundler.manifest.reader import read_manifest

OLD_LIMIT_BYTES = 1024 * 1024
COUNT = 3000


def manifest_text(count: int) -> bytes:
    lines = ["version: 1", "name: large", "files:"]
    for number in range(count):
        lines += [
            f"  - path: files/{number}",
            f"    url: https://files.example/{number}",
            f"    sha256: f{number:063x}",
        ]
    return "\n".join(lines).encode()


def test_ten_thousand_files_with_their_digests_are_read() -> None:
    text = manifest_text(10_000)
    assert len(text) > OLD_LIMIT_BYTES
    manifest = read_manifest(text, file="m", kinds=tuple(KINDS.values()))
    assert len(manifest.entries["files"]) == 10_000


def test_no_two_entries_are_nodes_at_the_same_time() -> None:
    text = manifest_text(COUNT)
    # what is loaded and cached once does not count, nor does the interpreter's table of interned strings
    read_manifest(text, file="m", kinds=tuple(KINDS.values()))
    tracemalloc.start()
    try:
        manifest = read_manifest(text, file="m", kinds=tuple(KINDS.values()))
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(manifest.entries["files"]) == COUNT
    assert held < COUNT * 1200
    # the nodes of all entries would be 1,600 bytes each, beside what the entries take
    assert peak - held < COUNT * 600


def test_the_digest_of_a_manifest_needs_no_second_form_of_it() -> None:
    manifest = read_manifest(manifest_text(COUNT), file="m", kinds=tuple(KINDS.values()))
    tracemalloc.start()
    try:
        _ = manifest.digest
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < COUNT * 500
