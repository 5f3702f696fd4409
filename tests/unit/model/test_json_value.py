"""The byte forms of JSON."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.model.json_value import Json, dump_canonical, dump_pretty, load_foreign, load_strict
from tests.contract.checkout import PRODUCT, ROOT, python_files
from tests.unit.model.values import TEXTS

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_both_forms_say_the_same(value: Json) -> None:
    assert json.loads(dump_pretty(value)) == json.loads(dump_canonical(value)) == value


def test_one_byte_form() -> None:
    assert dump_pretty({"b": ["\u4e07"], "a": 1}) == '{\n  "a": 1,\n  "b": [\n    "\u4e07"\n  ]\n}\n'.encode()
    assert dump_canonical({"b": ["\u4e07"], "a": 1}) == '{"a":1,"b":["\u4e07"]}'.encode()


@given(VALUES)
def test_what_is_written_is_read_in_either_way(value: Json) -> None:
    if all(abs(int(number)) < 2**63 for number in re.findall(r"-?\d+", json.dumps(value))):
        assert load_strict(dump_pretty(value)) == load_foreign(dump_canonical(value)) == value


@given(st.binary(max_size=40))
def test_any_bytes_are_json_or_a_value_error(data: bytes) -> None:
    for load in (load_foreign, load_strict):
        try:
            load(data)
        except ValueError:
            continue


@pytest.mark.parametrize(
    "data",
    [b"[" * 200_000, b'{"a":' * 200_000, b"1" * 5000, b"-" + b"9" * 400, b"1e999", b"NaN", b"-Infinity", b"\xff", b""],
    ids=lambda data: str(data[:12]),
)
def test_what_no_program_means_is_refused_whoever_wrote_it(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        load_strict(data)
    if data[:1] in b"[{\xff" or len(data) > 4300:
        with pytest.raises(ValueError, match=r"\S"):
            load_foreign(data)


@pytest.mark.parametrize(
    "data", [b'{"a":1,"a":1}', b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"), b'"\\ud800"', b'[{"b":{"c":0,"c":1}}]']
)
def test_formats_of_ours_have_one_reading(data: bytes) -> None:
    load_foreign(data)
    with pytest.raises(ValueError, match=r"\S"):
        load_strict(data)


def test_json_is_parsed_in_one_place() -> None:
    found = {str(path.relative_to(ROOT)) for path in python_files(*PRODUCT) if "json.load" in path.read_text()}
    assert found == {"bundler/model/json_value.py"}
