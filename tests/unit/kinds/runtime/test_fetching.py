from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import BundlerError, ErrorId, ToolMissingError
from bundler.model.digest import Digest
from tests.fakes.store import MemoryStore
from tests.unit.kinds.runtime.runtime_upstream import (
    FakeInstallation,
    FakeInterpreter,
    FakeInterpreters,
    Upstream,
    python_files,
    tgz,
    wheel,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.model.runtime_artifact import RuntimeArtifact
    from tests.fakes.progress import RecordingTask


@pytest.fixture
def pinned(upstream: Upstream, task: RecordingTask) -> tuple[RuntimeArtifact, ...]:
    """Both runtimes, pinned."""
    return upstream.kind.lock(upstream.entry(), upstream.sources, task)


@pytest.fixture
def elsewhere(upstream: Upstream, tmp_path: Path) -> Upstream:
    """The same upstream over a store that has nothing yet."""
    return replace(upstream, store=MemoryStore(tmp_path / "elsewhere"))


def fetch(upstream: Upstream, pinned: tuple[RuntimeArtifact, ...], task: RecordingTask) -> None:
    for item in upstream.kind.fetches(pinned):
        upstream.kind.fetch(item, upstream.sources, task)


def test_everything_is_fetched_into_an_empty_store(
    elsewhere: Upstream, pinned: tuple[RuntimeArtifact, ...], task: RecordingTask
) -> None:
    fetch(elsewhere, pinned, task)

    assert all(elsewhere.store.has(blob) for artifact in pinned for blob in artifact.blobs)
    assert not elsewhere.store.partial


def test_each_blob_is_promised_by_one_fetch(upstream: Upstream, pinned: tuple[RuntimeArtifact, ...]) -> None:
    provided = [blob for item in upstream.kind.fetches(pinned) for blob in item.provides]

    assert len(provided) == len(set(provided))
    assert set(provided) == {blob for artifact in pinned for blob in artifact.blobs}


def test_what_is_there_is_not_asked_for_again(
    upstream: Upstream, pinned: tuple[RuntimeArtifact, ...], task: RecordingTask
) -> None:
    upstream.archives.clear()
    upstream.index.wheels.clear()
    upstream.interpreters.ran.clear()

    fetch(upstream, pinned, task)

    assert upstream.interpreters.ran == []


def test_an_archive_that_was_packed_anew_is_good_while_its_files_are(
    elsewhere: Upstream, pinned: tuple[RuntimeArtifact, ...], task: RecordingTask
) -> None:
    moved = {name.replace("python/", "other/"): data for name, data in python_files().items()}
    elsewhere.archives["https://h/x86_64.tgz"] = tgz(moved)

    fetch(elsewhere, pinned[:1], task)

    assert "packed anew" in " ".join(task.notes)


def change_python(upstream: Upstream) -> None:
    files = python_files() | {"python/lib/python3.12/os.py": b"import evil\n"}
    upstream.archives["https://h/x86_64.tgz"] = tgz(files)


def change_wheel(upstream: Upstream) -> None:
    upstream.index.wheels["click"] = wheel("click", "2")


def change_sources(upstream: Upstream) -> None:
    upstream.index.sources["asyncore"] = wheel("asyncore", "2")


def change_compiler(upstream: Upstream) -> None:
    upstream.interpreters = FakeInterpreters(here=False, there=FakeInterpreter(word=b"other code of "))


@pytest.mark.parametrize("change", [change_python, change_wheel, change_sources, change_compiler])
def test_other_bytes_are_refused_and_the_entry_is_named(
    elsewhere: Upstream,
    pinned: tuple[RuntimeArtifact, ...],
    task: RecordingTask,
    change: object,
) -> None:
    assert callable(change)
    change(elsewhere)

    with pytest.raises(BundlerError) as caught:
        fetch(elsewhere, pinned[:1], task)

    assert caught.value.id == ErrorId.UPSTREAM_CHANGED
    assert "lock --update 'runtime/x86_64'" in caught.value.remedy


def test_another_release_of_this_tool_takes_the_locked_wheel_from_the_store(
    upstream: Upstream, pinned: tuple[RuntimeArtifact, ...], task: RecordingTask
) -> None:
    upstream.installation = FakeInstallation("2")
    for file in pinned[0].tool.files:
        upstream.store.drop(file.content)

    fetch(upstream, pinned, task)

    assert all(upstream.store.has(file.content) for file in pinned[0].tool.files)


def test_another_release_of_this_tool_without_that_wheel_names_what_to_do(
    elsewhere: Upstream, pinned: tuple[RuntimeArtifact, ...], task: RecordingTask
) -> None:
    elsewhere.installation = FakeInstallation("2")

    with pytest.raises(BundlerError, match="locked with tool 1") as caught:
        fetch(elsewhere, pinned, task)

    assert (caught.value.id, caught.value.exit_code) == (ErrorId.TOOL_CHANGED, 3)
    assert "bundler lock --update 'runtime/x86_64'" in caught.value.remedy


def test_pinned_byte_code_needs_a_python_that_makes_it(
    elsewhere: Upstream, pinned: tuple[RuntimeArtifact, ...], task: RecordingTask
) -> None:
    elsewhere.interpreters = FakeInterpreters(here=False)

    with pytest.raises(ToolMissingError, match=r"Python 3\.12\.7"):
        fetch(elsewhere, pinned, task)


def test_a_named_wheel_of_this_tool_is_downloaded_again(
    elsewhere: Upstream, upstream: Upstream, task: RecordingTask
) -> None:
    url = "https://h/tool-2-py3-none-any.whl"
    upstream.archives[url] = wheel("tool", "2", ["click"])
    item = f"{{tool: '{url}', python: {{url: https://h/x86_64.tgz, sha256: A}}, platforms: [linux/amd64]}}"
    pinned = upstream.kind.lock(upstream.entry(item), upstream.sources, task)

    fetch(elsewhere, pinned, task)
    assert elsewhere.store.has(pinned[0].tool.download)

    elsewhere.archives[url] = wheel("tool", "2", ["evil"])
    elsewhere.store.blobs.clear()
    with pytest.raises(BundlerError) as caught:
        fetch(elsewhere, pinned, task)
    assert caught.value.id == ErrorId.UPSTREAM_CHANGED
    assert Digest.sha256(elsewhere.archives[url]) not in elsewhere.store.blobs
