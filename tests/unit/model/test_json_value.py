"""The byte forms of JSON."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bundler.model.json_value import Json, dump_canonical, dump_pretty
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
