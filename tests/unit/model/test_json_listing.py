"""Documents with one long list: the same bytes and values as in one piece, in the memory of one item."""

from __future__ import annotations

import gc
import io
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from bundler.model.json_listing import BLOCK_BYTES, listing_pieces, load_listing
from bundler.model.json_value import dump_pretty, load_strict

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.model.json_value import Json

MEMBERS: dict[str, Json] = {"a": 1, "z": {"deep": ["\u4e07", "line\nbreak"]}, "m": []}
ITEMS: list[list[Json]] = [
    [],
    [{}],
    [1, "two", None, [3.5], {"b": {"c": "\u2028"}, "a": []}],
    [{"number": number, "text": "\u4e07" * 50} for number in range(5000)],
]


@pytest.mark.parametrize("items", ITEMS)
@pytest.mark.parametrize("name", ["0", "files", "zz"])
def test_it_is_written_as_in_one_piece(name: str, items: list[Json]) -> None:
    assert b"".join(listing_pieces(MEMBERS, name, iter(items))) == dump_pretty({**MEMBERS, name: items})


@pytest.mark.parametrize("dump", [dump_pretty, lambda value: json.dumps(value).encode()])
@pytest.mark.parametrize("items", ITEMS)
def test_it_is_read_as_in_one_piece(items: list[Json], dump: Callable[[Json], bytes]) -> None:
    data = dump({**MEMBERS, "files": items})
    for source in (data, io.BytesIO(data)):
        listing = load_listing(source, "files", lambda item: item)
        assert list(listing.items) == items
        assert {name: listing.members[name] for name in MEMBERS} == MEMBERS


@pytest.mark.parametrize("cut", range(1, 40))
def test_numbers_and_characters_may_lie_across_two_blocks(cut: int) -> None:
    data = json.dumps({"files": ["x" * (BLOCK_BYTES - cut), 1234567890, "\u4e07"]}, ensure_ascii=False).encode()
    assert list(load_listing(data, "files", lambda item: item).items) == load_strict(data)["files"]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]x", b"\xef\xbb\xbf{}", b'{"files": [1,]}', b'{"files": [1]} x', b'{"a": 1, "a": 2, "files": []}',
        b'{"files": [], "files": []}', b'{"files": ["\xff"]}', b'{"files": [{"a": 1, "a": 2}]}', b'{"files": [NaN]}',
        b'{"files": ["\\ud800"]}', b'{"files": ' + b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_refused_in_one_piece_is_refused_with_the_same_words(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".") as whole:
        load_strict(data)
    with pytest.raises(ValueError, match=r".") as streamed:
        load_listing(data, "files", lambda item: item)
    assert str(streamed.value) == str(whole.value)


def test_the_other_members_are_there_before_an_item_is_refused() -> None:
    def refuse(item: Any) -> Any:
        raise ValueError(f"{item} is refused")

    listing = load_listing(b'{"files": [1], "format": 2}', "files", refuse)
    assert listing.members["format"] == 2
    with pytest.raises(ValueError, match="1 is refused"):
        list(listing.items)


@pytest.mark.parametrize(("data", "error"), [(b'{"format": 1}', KeyError), (b"[]", TypeError)])
def test_a_document_without_the_list_is_told_when_it_is_asked_for(data: bytes, error: type[Exception]) -> None:
    listing = load_listing(data, "files", lambda item: item)
    with pytest.raises(error):
        list(listing.items)


def test_neither_way_holds_more_than_one_item() -> None:
    count = 4000
    item: dict[str, Json] = {f"key{number}": [f"value {number}"] for number in range(20)}
    tracemalloc.start()
    try:
        assert sum(map(len, listing_pieces({}, "files", (item for _ in range(count))))) > count * 500
        written = tracemalloc.get_traced_memory()[1]
        data = b"".join(listing_pieces({}, "files", (item for _ in range(count))))
        tracemalloc.reset_peak()
        assert sum(load_listing(data, "files", lambda _: 1).items) == count
        read = tracemalloc.get_traced_memory()[1] - len(data)
    finally:
        tracemalloc.stop()
    # the text is 1 KB an item; its values alone would be 4 KB
    assert written < 8 * BLOCK_BYTES
    assert read < 8 * BLOCK_BYTES


def test_an_item_is_forgotten_before_the_next_one_comes() -> None:
    alive: list[int] = []

    def take(item: dict[str, Any]) -> None:
        alive.append(sum(1 for each in gc.get_objects() if type(each) is dict and each.get("mark") == "here"))
        item.clear()

    data = json.dumps({"files": [{"mark": "here", "tracked": [number]} for number in range(20)]}).encode()
    assert len(list(load_listing(data, "files", take).items)) == 20
    assert max(alive) == 1
