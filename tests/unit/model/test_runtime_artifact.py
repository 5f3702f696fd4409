"""A runtime in the lock: nothing that could mislead pip, the disk or a reader gets out of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.json_value import dump_pretty, load_strict
from bundler.model.lock import Lock, LockedEntry, lock_remarks
from bundler.model.platform import Platform
from bundler.model.runtime_artifact import PinnedPython, PinnedWheel, RuntimeArtifact, RuntimeFile

PYTHON_FILE = RuntimeFile(BundlePath("bin/python3"), Blob.of(b"elf"), 0o755)
PYTHON = PinnedPython("3.12.7", "2.17", ("https://h/p",), Blob.of(b"tar"), HeldTo("manifest"), 5, (PYTHON_FILE,))
TOOL_FILE = RuntimeFile(BundlePath("lib/python3.12/site-packages/tool.py"), Blob.of(b"import"))
TOOL = PinnedWheel("tool", "1", "tool-1-py3-none-any.whl", Blob.of(b"wheel"), (TOOL_FILE,))
CODE = RuntimeFile(BundlePath("lib/python3.12/site-packages/__pycache__/tool.cpython-312.pyc"), Blob.of(b"code"))
RUNTIME = RuntimeArtifact(Platform("linux", "amd64"), PYTHON, TOOL, (), (CODE,))


def test_it_is_read_as_it_was_written() -> None:
    assert RuntimeArtifact.decode(load_strict(dump_pretty(RUNTIME.encode()))) == RUNTIME
    bare = replace(
        RUNTIME, bytecode=(), without_bytecode="unpinned", wheels=(replace(TOOL, files=(), date=7, url="u"),)
    )
    assert RuntimeArtifact.decode(load_strict(dump_pretty(bare.encode()))) == bare


def test_what_it_stands_for() -> None:
    assert RUNTIME.placed[BundlePath("runtime/x86_64/bin/python3")] == Blob.of(b"elf")
    assert set(RUNTIME.blobs) == {Blob.of(data) for data in (b"elf", b"import", b"code", b"wheel")}
    assert RUNTIME.size == len(b"elfimportcode")
    assert replace(RUNTIME, tool=replace(TOOL, download=Blob.of(b"other"))).version != RUNTIME.version


def test_remarks_of_a_lock_name_what_they_are_of() -> None:
    entry = LockedEntry("runtime", "runtime", Digest.sha256(b""), (RUNTIME,))
    lock = Lock(Digest.sha256(b""), (), {}, (entry,))
    assert lock_remarks(lock) == ("runtime/x86_64: CPython 3.12.7, 3 files, 13 B unpacked",)


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("python", "version", "3.12.7\n--index-url"),
        ("python", "glibc", "new"),
        ("python", "contents", [f"{'0' * 64} 1 0644 ../evil"]),
        ("python", "contents", [f"{'0' * 64} 1 4755 bin/python3"]),
        ("python", "contents", [f"{'0' * 63} 1 0644 bin/python3"]),
        ("python", "contents", [7]),
        ("tool", "name", "tool\n--index-url https://evil"),
        ("tool", "version", "1 --hash=sha256:0"),
        ("tool", "file", "../../tool.whl"),
        ("tool", "file", "tool.sh"),
        ("tool", "contents", [f"{'0' * 64} 1 0644 BIN/python3"]),
        ("", "bytecode", []),
        ("", "without_bytecode", "unpinned"),
        ("", "without_bytecode", "whatever"),
    ],
)
def test_what_somebody_wrote_into_it_is_refused(part: str, key: str, value: object) -> None:
    encoded: Any = load_strict(dump_pretty(RUNTIME.encode()))
    (encoded[part] if part else encoded)[key] = value

    with pytest.raises((ValueError, TypeError)):
        RuntimeArtifact.decode(encoded)
