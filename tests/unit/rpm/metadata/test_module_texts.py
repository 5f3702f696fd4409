"""Module streams of several repositories, cut down to the packages of a bundle, each its module's default."""

from __future__ import annotations

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.manifest.yaml_documents import read_documents
from bundler.model.rpm.nevra import Nevra
from bundler.rpm.metadata import module_texts
from bundler.rpm.metadata.module_texts import merge_modules
from bundler.rpm.metadata.modulemd import read_modules
from tests.fakes.small_rpms import opened

NODE = Nevra("nodejs", 1, "18.1", "1.module", "x86_64")


def stream(name: str, artifact: str, module: str = "nodejs") -> str:
    return (
        "---\ndocument: modulemd\nversion: 2\ndata:\n"
        f'  name: {module}\n  stream: "{name}"\n  version: 1\n  context: c\n  arch: x86_64\n  summary: "ä:  # kept"\n'
        f"  artifacts:\n    rpms:\n    - {artifact}\n...\n"
    )


OURS = stream("18", "nodejs-1:18.1-1.module.x86_64")
OTHER = stream("20", "nodejs-1:20.0-1.module.x86_64")
DEFAULTS = "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: nodejs\n  stream: '20'\n...\n"


def test_only_streams_of_the_bundle_are_left_and_are_the_default() -> None:
    text = merge_modules([("here", opened(OTHER + OURS + DEFAULTS))], {NODE}, read_documents)
    assert text.startswith(OURS)
    index = read_modules(opened(text), read_documents, "there")
    assert [build.name for build in index.streams] == ["nodejs:18"]
    assert index.default_streams() == {"nodejs": "18"}


def test_of_streams_that_share_a_package_the_one_that_has_them_all_is_kept() -> None:
    shared = Nevra("lib", 0, "1", "1", "noarch")
    both = [
        text.replace("\n...\n", "\n    - lib-0:1-1.noarch\n...\n")
        for text in (OURS, OTHER, stream("16", "nodejs-1:16.0-1.module.x86_64"))
    ]
    text = merge_modules([("here", opened("".join(both)))], {NODE, shared}, read_documents)
    index = read_modules(opened(text), read_documents, "there")
    assert [build.name for build in index.streams] == ["nodejs:18"]
    assert index.default_streams() == {"nodejs": "18"}


def test_a_list_on_one_line_is_read_too() -> None:
    flow = OURS.replace(
        "    rpms:\n    - nodejs-1:18.1-1.module.x86_64\n", "    rpms: [a, nodejs-1:18.1-1.module.x86_64]\n"
    )
    assert flow != OURS
    assert merge_modules([("here", opened(flow))], {NODE}, read_documents).startswith(flow)


@pytest.mark.parametrize("name", ["'node\"js'", r'"node\x1b[2J"', r'"node\nstream"'])
def test_a_name_that_would_change_the_document_is_refused(name: str) -> None:
    with pytest.raises(SourceError, match="is no name of a module") as caught:
        merge_modules([("here", opened(OURS.replace("name: nodejs", f"name: {name}")))], {NODE}, read_documents)
    assert caught.value.id == ErrorId.REPO_METADATA_INVALID


def test_a_stream_that_several_repositories_have_is_kept_once() -> None:
    text = merge_modules([("one", opened(OURS)), ("two", opened(OURS))], {NODE}, read_documents)
    assert text.count("document: modulemd\n") == 1


def test_without_a_stream_there_is_no_document() -> None:
    assert merge_modules([("here", opened(OTHER + DEFAULTS))], {NODE}, read_documents) == ""


def test_a_damaged_document_is_refused() -> None:
    damaged = OURS.replace("  version: 1\n", "  version: one\n")
    with pytest.raises(SourceError) as caught:
        merge_modules([("here", opened(damaged))], {NODE}, read_documents)
    assert caught.value.id == ErrorId.REPO_METADATA_INVALID


def test_a_document_without_end_is_not_held_in_memory() -> None:
    class Endless:
        """Lines that never come to an end of the document."""

        def __iter__(self) -> Endless:
            return self

        def __next__(self) -> bytes:
            return b"x" * (module_texts.MAX_DOCUMENT_BYTES // 4)

    with pytest.raises(SourceError, match="has a document of more than"):
        merge_modules([("here", Endless())], {NODE}, read_documents)  # type: ignore[list-item] # iterated, nothing else
