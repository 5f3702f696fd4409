"""The byte forms of JSON."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.model.json_listing import load_listing
from bundler.model.json_value import (
    MAX_LEVELS,
    REPLACED,
    Json,
    dump_canonical,
    dump_pretty,
    load_foreign,
    load_strict,
    objects,
)
from tests.contract.checkout import PRODUCT, ROOT, python_files
from tests.unit.model.values import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def _listed(data: bytes) -> Any:
    """Read a value as the only item of a long list."""
    (item,) = load_listing(b'{"items": [' + data + b"]}", "items", lambda item: item).items
    return item


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
    if data[:1] in b"[{\xff":
        with pytest.raises(ValueError, match=r"\S"):
            load_foreign(data)


@pytest.mark.parametrize("levels", [MAX_LEVELS, MAX_LEVELS + 1, 300, 900, 990, 5000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("load", [load_foreign, load_strict, _listed])
def test_how_deep_a_value_may_be_is_one_number(
    load: Callable[[bytes], Any], opening: str, closing: str, levels: int
) -> None:
    # brackets in texts are none
    data = f'{opening * levels}"[[[[{{{{{{{{"{closing * levels}'.encode()
    if levels <= MAX_LEVELS:
        dump_pretty(load(data))
    else:
        with pytest.raises(ValueError, match="too deep"):
            load(data)


def test_many_values_beside_each_other_are_not_deep() -> None:
    value = [[{"a": [number]}] for number in range(10 * MAX_LEVELS)]
    assert load_strict(dump_pretty(value)) == load_foreign(dump_pretty(value)) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"NaN", None),
        (b"[Infinity, -Infinity]", [sys.float_info.max, -sys.float_info.max]),
        (b"1e999", sys.float_info.max),
        (b"9" * 5000, sys.float_info.max),
        (b"-" + b"9" * 400, -sys.float_info.max),
        (b"[18446744073709551615, -9223372036854775808]", [2**64 - 1, -(2**63)]),
        (b"0.1234567890123456789012345", 0.12345678901234568),
        (b'"\\ud800\\ud83d\\udc0b"', f"{REPLACED}\U0001f40b"),
        (b'{"\\udfff": ["\\udc00"]}', {REPLACED: [REPLACED]}),
        ('"a\udc80"'.encode("utf-8", "surrogatepass"), f"a{REPLACED}"),
        ("\ufeff[1]".encode(), [1]),
        ("[1]".encode("utf-16"), [1]),
        (" [1]\n\t", [1]),
    ],
    ids=lambda data: str(data[:12]) if isinstance(data, bytes) else "",
)
def test_what_others_wrote_can_be_written_again_and_counted_with(data: bytes | str, value: Any) -> None:
    found = load_foreign(data)
    assert found == value
    assert load_strict(dump_pretty(found)) == value


def test_only_one_value_is_a_document() -> None:
    for data in (b"1 2", b"{} []", b"[1],", b""):
        with pytest.raises(ValueError, match=r"Extra data|Expecting value"):
            load_foreign(data)


@pytest.mark.parametrize(
    "data", [b'{"a":1,"a":1}', b"\xef\xbb\xbf{}", '{"a":1}'.encode("utf-16"), b'"\\ud800"', b'[{"b":{"c":0,"c":1}}]']
)
def test_formats_of_ours_have_one_reading(data: bytes) -> None:
    load_foreign(data)
    with pytest.raises(ValueError, match=r"\S"):
        load_strict(data)


def test_json_is_parsed_in_one_place() -> None:
    parses = re.compile(r"(?<![\w.])json\.loads?\(|JSONDecoder\(")
    found = {str(path.relative_to(ROOT)) for path in python_files(*PRODUCT) if parses.search(path.read_text())}
    assert found == {"bundler/model/json_value.py"}


@pytest.mark.parametrize(
    ("value", "found"), [([{"a": 1}, "b", None, {}], [{"a": 1}, {}]), ({"a": {}}, []), (None, []), ("text", [])]
)
def test_what_is_no_list_of_objects_has_none(value: object, found: list[object]) -> None:
    assert objects(value) == found
