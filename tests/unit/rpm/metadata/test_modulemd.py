from __future__ import annotations

import io

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.manifest.yaml_documents import read_documents
from bundler.rpm.metadata.modulemd import DefaultStream, ModuleIndex, ModuleNeed, ModuleStream, read_modules

NODE = """---
document: modulemd
version: 2
data:
  name: nodejs
  stream: 1.10
  version: 8030020200818
  context: 9edba152
  arch: x86_64
  dependencies:
  - buildrequires: {gcc: []}
    requires: {platform: [el8], perl: [5.24, "-5.26"], any: []}
  artifacts:
    rpms:
    - nodejs-1:10.1-1.x86_64
...
"""
OLD = """---
document: modulemd
version: 1
data: {name: old, stream: s, version: 1, dependencies: {requires: {base: f26}}}
"""


def read(text: str) -> ModuleIndex:
    return read_modules(io.BytesIO(text.encode()), read_documents, "modules of repository base")


def default(module: str, stream: str, modified: int) -> str:
    data = f"data: {{module: {module}, stream: '{stream}', modified: {modified}}}"
    return f"---\ndocument: modulemd-defaults\nversion: 1\n{data}\n"


def test_a_stream_is_read_whole_and_keeps_its_text() -> None:
    needs = (ModuleNeed("platform", ("el8",), ()), ModuleNeed("perl", ("5.24",), ("5.26",)), ModuleNeed("any", (), ()))
    artifacts = ("nodejs-1:10.1-1.x86_64",)
    expected = ModuleStream("nodejs", "1.10", 8030020200818, "9edba152", "x86_64", needs, artifacts)
    assert read(NODE) == ModuleIndex((expected,), ())
    assert expected.name == "nodejs:1.10"


def test_a_stream_of_version_1_is_read_too() -> None:
    assert read(OLD).streams == (ModuleStream("old", "s", 1, "", "noarch", (ModuleNeed("base", ("f26",), ()),), ()),)


def test_documents_of_other_kinds_are_left() -> None:
    assert read("---\ndocument: modulemd-obsoletes\ndata: {module: x}\n---\ndocument: new\n") == ModuleIndex((), ())


def test_the_newest_word_on_a_default_counts_and_a_contradiction_is_none() -> None:
    text = (
        default("a", "1", 5) + default("a", "2", 6) + default("b", "1", 5) + default("b", "2", 5) + default("c", "", 1)
    )
    found = read(text)
    assert DefaultStream("a", 6, "2") in found.defaults
    assert found.default_streams() == {"a": "2"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (NODE.replace("  name: nodejs\n", ""), "a document lacks 'name'"),
        (NODE.replace("8030020200818", "soon"), "soon"),
        (NODE.replace("name: nodejs", "name: [nodejs]"), "a text is wanted"),
        (NODE.replace("requires: {platform", "requires: [a]\n    more: {platform"), "a mapping is wanted"),
        ("- a\n", "a mapping is wanted"),
        ("a: [\n", "not valid YAML"),
    ],
)
def test_damaged_metadata_are_an_error_of_the_source(text: str, problem: str) -> None:
    with pytest.raises(SourceError, match=problem) as raised:
        read(text)
    assert raised.value.id == ErrorId.REPO_METADATA_INVALID
    assert raised.value.where == "modules of repository base"
