"""bundle.json is decoded file by file: no two of them are in memory as JSON, and what is refused stays the same."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest

from bundler.model.json_value import load_strict


@pytest.mark.parametrize(
    "text",
    [
        '{"files": [{"a": 1}, {"b": [1, 2]}], "format": 1}',
        ' {\n "format" : 1 , "files":[ {"a":1} ,\t{"b":[1,2]} ] } \r\n',
        '{"files": [], "format": 1}',
        '{"files": {"a": 1}, "format": 1}',
        '{"format": 1}',
        "{}",
        "[1, 2]",
        "3",
    ],
)
def test_items_come_one_by_one_and_the_rest_is_as_ever(text: str) -> None:
    taken: list[Any] = []
    plain = load_strict(text.encode())
    value = load_strict(text.encode(), items=("files", taken.append))
    listed = plain.get("files", []) if isinstance(plain, dict) else []
    if isinstance(listed, list):
        assert taken == listed
        assert value == ({**plain, "files": []} if "files" in text else plain)
    else:
        assert (taken, value) == ([], plain)


@pytest.mark.parametrize(
    "text",
    [
        '{"files": [1, 2}', '{"files": [1 2]}', '{"files": [1,]}', '{"files": [', '{"files"', '{"files": [1]', "{",
        '{"files": [1]} x', '{"files": [1],}', '{"files" [1]}', "{3: 1}", '{"files": [], "files": []}',
        '{"files": [{"a": 1, "a": 2}]}', '{"files": [NaN]}', '{"files": ["\\ud800"]}', "", " ",
        '{"files": ' + "[" * 200_000,
    ],
)  # fmt: skip
def test_what_is_refused_whole_is_refused_in_pieces(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        load_strict(text.encode())
    with pytest.raises(ValueError):  # noqa: PT011 - see above
        load_strict(text.encode(), items=("files", lambda _: None))


def test_an_item_is_forgotten_before_the_next_one_comes() -> None:
    alive: list[int] = []

    def take(item: dict[str, Any]) -> None:
        alive.append(sum(1 for each in gc.get_objects() if type(each) is dict and each.get("mark") == "here"))
        item.clear()

    data = json.dumps({"files": [{"mark": "here", "tracked": [number]} for number in range(20)]}).encode()
    load_strict(data, items=("files", take))
    assert max(alive) == 1
