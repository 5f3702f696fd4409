from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.lock import LockedEntry
from bundler.model.runtime_artifact import RuntimeFile
from tests.unit.kinds.runtime.runtime_upstream import AMD64, ARM64

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.model.runtime_artifact import RuntimeArtifact
    from tests.fakes.progress import RecordingTask
    from tests.unit.kinds.runtime.runtime_upstream import Upstream

STRAY = RuntimeFile(BundlePath("etc/profile"), Blob.of(b"evil"))


def other_mode(files: tuple[RuntimeFile, ...], mode: int) -> tuple[RuntimeFile, ...]:
    """Return files of which the first that has another mode has this one."""
    first = next(file for file in files if file.mode != mode)
    return tuple(replace(file, mode=mode) if file is first else file for file in files)


@pytest.fixture
def pinned(upstream: Upstream, task: RecordingTask) -> tuple[RuntimeArtifact, ...]:
    """Both runtimes, pinned."""
    return upstream.kind.lock(upstream.entry(), upstream.sources, task)


def test_what_was_locked_answers_its_entry(upstream: Upstream, pinned: tuple[RuntimeArtifact, ...]) -> None:
    entry = upstream.entry()

    assert list(upstream.kind.disagreements(entry, pinned, ())) == []
    assert list(upstream.kind.disagreements(entry, pinned[:1], (AMD64,))) == []


def test_each_platform_is_answered_once(upstream: Upstream, pinned: tuple[RuntimeArtifact, ...]) -> None:
    entry = upstream.entry()

    assert list(upstream.kind.disagreements(entry, pinned[:1], ())) == ["runtime/aarch64 is not pinned"]
    assert list(upstream.kind.disagreements(entry, pinned, (AMD64,))) == ["runtime/aarch64 is pinned and not asked for"]
    twice = (*pinned, pinned[0])
    assert list(upstream.kind.disagreements(entry, twice, ())) == ["runtime/x86_64 is pinned more than once"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda old: replace(old, python=replace(old.python, urls=("https://evil/",))), "has urls"),
        (lambda old: replace(old, python=replace(old.python, held_to=HeldTo("first-use"))), "has held_to first-use"),
        (lambda old: replace(old, python=replace(old.python, download=Blob.of(b""))), "has download"),
        (lambda old: replace(old, tool=replace(old.tool, url="https://evil/x.whl")), "has url of its tool"),
        (lambda old: replace(old, python=replace(old.python, files=old.python.files[1:])), "has no bin/python3"),
        (lambda old: replace(old, python=replace(old.python, files=(*old.python.files, STRAY))), "has etc/profile"),
        (lambda old: replace(old, python=replace(old.python, files=other_mode(old.python.files, 0o644))), "has bin/"),
        (lambda old: replace(old, tool=replace(old.tool, files=other_mode(old.tool.files, 0o755))), "has lib/"),
        (lambda old: replace(old, tool=replace(old.tool, files=(*old.tool.files, STRAY))), "has etc/profile of tool"),
        (lambda old: replace(old, bytecode=(*old.bytecode, STRAY)), "has etc/profile, which belongs to no module"),
    ],
)
def test_what_somebody_wrote_into_the_lock_is_found(
    upstream: Upstream,
    pinned: tuple[RuntimeArtifact, ...],
    change: Callable[[RuntimeArtifact], RuntimeArtifact],
    said: str,
) -> None:
    changed = (change(pinned[0]), pinned[1])

    [line] = upstream.kind.disagreements(upstream.entry(), changed, ())

    assert line.startswith(f"runtime/x86_64 {said}")


def test_two_files_on_one_path_are_no_runtime(pinned: tuple[RuntimeArtifact, ...]) -> None:
    with pytest.raises(ValueError, match="twice"):
        replace(pinned[0], wheels=(pinned[0].tool,))


def test_it_is_placed_with_its_launchers(upstream: Upstream, pinned: tuple[RuntimeArtifact, ...]) -> None:
    entry = LockedEntry("runtime", "runtime", Digest.sha256(b""), pinned)
    placed = {item.path: item for item in upstream.kind.place([entry], (AMD64, ARM64), upstream.sources)}

    assert {"bin/bundler", "bin/mirror", "runtime/x86_64/bin/python3", "runtime/aarch64/bin/python3"} <= placed.keys()
    assert [item.mode for path, item in placed.items() if "bin/" in path] == [0o755] * 4
    assert placed[BundlePath("runtime/aarch64/bin/python3")].platforms == (ARM64,)
    assert placed[BundlePath("bin/mirror")].platforms == ()
    runtimes = {path: blob for artifact in pinned for path, blob in artifact.placed.items()}
    assert {path: item.content for path, item in placed.items() if path.startswith("runtime/")} == runtimes
    assert upstream.kind.place([], (AMD64,), upstream.sources) == []


def test_narrowed_to_a_platform_only_its_runtime_is_left(
    upstream: Upstream, pinned: tuple[RuntimeArtifact, ...]
) -> None:
    left = [upstream.kind.narrow(artifact, (ARM64,), upstream.sources) for artifact in pinned]
    assert left == [None, pinned[1]]


def test_an_estimate_asks_for_sizes_and_says_what_goes_without_byte_code(
    upstream: Upstream, task: RecordingTask
) -> None:
    estimate = upstream.kind.estimate(upstream.entry(), upstream.sources, task)
    assert [item.transfer_bytes for item in estimate.fetches] == [len(data) for data in upstream.archives.values()]
    assert estimate.unknown == ("runtime/x86_64: packages", "runtime/aarch64: packages")
    assert estimate.remarks == ()

    entry = upstream.entry("{python: {url: 'https://h/${machine}.tgz'}}")
    assert len(upstream.kind.estimate(entry, upstream.sources, task).remarks) == 2
