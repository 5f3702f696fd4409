"""The published schema says what the reader says, as far as a schema can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from bundler.manifest.schema import manifest_schema
from tests.fakes.kinds import FAKE_KINDS

DIRECTORY = Path(__file__).parents[2] / "data" / "manifests"
SCHEMA = manifest_schema(FAKE_KINDS)
VALIDATOR = Draft202012Validator(SCHEMA)

# what PyYAML refuses before any schema sees it, or reads as something that is not wrong any more
NOT_YAML = {
    "archive-in-its-place",
    "alias-unknown",
    "anchor-twice",
    "at-sign",
    "colon-in-string",
    "control-character",
    "custom-tag",
    "list-key",
    "mapping-tag-on-list",
    "merge-of-string",
    "not-a-date",
    "not-an-int",
    "not-utf8",
    "python-tag",
    "tab-indent",
    "two-documents",
    "unclosed-bracket",
    "unclosed-quote",
    "unquoted-variable-in-list",
    "utf16-without-mark",
}
# has keys that JSON cannot have
NOT_JSON = {"number-key", "truth-key"}
# about characters, positions, variables, paths, or two places at once
INEXPRESSIBLE = {
    "alias-bomb",
    "directory-is-file",
    "dup-entry-key",
    "dup-key",
    "dup-merge-key",
    "entry-twice",
    "escaped-control-character",
    "escaped-separator",
    "file-is-directory",
    "kind-check",
    "nested-too-deep",
    "next-line-character",
    "path-absolute",
    "path-case",
    "path-escapes",
    "path-not-nfc",
    "path-reserved",
    "path-twice",
    "path-unicode-fold",
    "platform-twice",
    "text-line-break",
    "utf16",
    "var-below",
    "var-lone-dollar",
    "var-of-platform",
    "var-undefined",
}
EXPRESSIBLE = sorted({path.stem for path in DIRECTORY.glob("*.yaml")} - NOT_YAML - NOT_JSON - INEXPRESSIBLE)

VALID = (
    "{version: 1, name: sample, labels: [one]}",
    "{version: 1, name: '${n}', release: '${n}', vars: {n: '', _m: x}, platforms: ['linux/${n}'], labels: [one]}",
    "{version: 1, name: a.b-c_D, release: '7', x-any: {y: 1}, boxes: [{path: a, url: b, x-why: 1}]}",
    (
        "{version: 1, name: s, boxes: [{path: a, urls: [b, c], mode: '0755', size: large, sealed: yes, roles: [edge],"
        " platforms: [linux/arm/v7], members: {d: e}}]}"
    ),
)


def test_the_schema_is_one_and_can_be_published() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA))["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("text", VALID)
def test_what_the_schema_passes(text: str) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("fault", EXPRESSIBLE)
def test_what_the_reader_refuses_for_its_form_the_schema_refuses(fault: str) -> None:
    assert not VALIDATOR.is_valid(loaded(fault))


@pytest.mark.parametrize("fault", sorted(INEXPRESSIBLE - {"alias-bomb", "nested-too-deep"}))
def test_no_fault_is_excused_without_need(fault: str) -> None:
    assert VALIDATOR.is_valid(loaded(fault)), "the schema does express it: take it off the list"


@pytest.mark.parametrize("fault", sorted(NOT_YAML))
def test_no_fault_is_unreadable_without_need(fault: str) -> None:
    try:
        tree = loaded(fault)
    except (yaml.YAMLError, ValueError):
        return
    pytest.fail(f"PyYAML reads it as {tree!r}")


def loaded(fault: str) -> Any:
    return yaml.safe_load((DIRECTORY / f"{fault}.yaml").read_bytes())
