from __future__ import annotations

import io

import pytest
import yaml

from bundler.manifest.yaml_documents import FASTEST_LOADER, MAX_DEPTH, read_documents

LOADERS = pytest.mark.parametrize("loader", [yaml.BaseLoader, FASTEST_LOADER])


@LOADERS
def test_every_scalar_is_the_text_that_stands_there(loader: type) -> None:
    text = b"a: 1.10\nb: [yes, ~, '8', 2020-01-01]\nc: {d: 0x10, e: }\nf: |\n  two\n  lines\n"
    expected = {"a": "1.10", "b": ["yes", "~", "8", "2020-01-01"], "c": {"d": "0x10", "e": ""}, "f": "two\nlines\n"}
    assert list(read_documents(text, loader=loader)) == [expected]


@LOADERS
def test_documents_come_one_by_one_from_a_stream(loader: type) -> None:
    documents = read_documents(io.BytesIO(b"---\na: b\n...\n---\n- c\n---\nd\n---\n? [\n"), loader=loader)
    assert [next(documents), next(documents), next(documents)] == [{"a": "b"}, ["c"], "d"]
    with pytest.raises(ValueError, match="not valid YAML"):
        next(documents)


@LOADERS
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"a: &x [1]\nb: *x\n", r"an alias \(\*x\)"),
        (b"[a]: b\n", "a key that is a list"),
        (b"a: b: c\n", "not valid YAML"),
        (b"a: \xff\n", "not valid YAML"),
        (b"[" * (MAX_DEPTH + 1), "nested deeper than"),
        (b"[" * 200_000, "nested deeper than"),
    ],
)
def test_what_such_documents_do_not_use_is_refused(loader: type, text: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        list(read_documents(text, loader=loader))


def test_no_document_is_no_document() -> None:
    assert list(read_documents(b"# nothing\n")) == []
