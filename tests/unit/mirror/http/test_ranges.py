"""The Range field against a model that knows nothing but single bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirror.http.ranges import MAX_RANGES, Span, wanted_spans

SIZE = 100


@pytest.mark.parametrize(
    ("field", "spans"),
    [
        ("bytes=0-0", [Span(0, 1)]),
        ("bytes=10-19", [Span(10, 20)]),
        ("bytes=10-", [Span(10, 100)]),
        ("bytes=-10", [Span(90, 100)]),
        ("bytes=-500", [Span(0, 100)]),
        ("bytes=99-99", [Span(99, 100)]),
        ("bytes=0-9999999999999999999", [Span(0, 100)]),
        ("Bytes=1-2", [Span(1, 3)]),
        ("BYTES=1-2", [Span(1, 3)]),
        ("bytes= 1-2 ,\t5-6 ", [Span(1, 3), Span(5, 7)]),
        ("bytes=,1-2,,", [Span(1, 3)]),
        # the client's order, unless some touch or overlap
        ("bytes=50-59,0-9", [Span(50, 60), Span(0, 10)]),
        ("bytes=0-9,10-19", [Span(0, 20)]),
        ("bytes=50-60,0-9,55-70", [Span(0, 10), Span(50, 71)]),
        ("bytes=0-,0-,0-,0-", [Span(0, 100)]),
        # those that can be had, of some that cannot
        ("bytes=200-,5-6", [Span(5, 7)]),
        ("bytes=-0,5-6", [Span(5, 7)]),
    ],
)
def test_spans(field: str, spans: list[Span]) -> None:
    assert wanted_spans(field, SIZE) == spans


@pytest.mark.parametrize("field", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=9999999999999999999-"])
def test_none_can_be_had(field: str) -> None:
    assert wanted_spans(field, SIZE) == []


@pytest.mark.parametrize("field", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_an_empty_file_has_no_bytes(field: str) -> None:
    assert wanted_spans(field, 0) == []


@pytest.mark.parametrize(
    "field",
    [
        *(
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-b",
            "bytes=1",
            "bytes=5-4",
            "bytes=1-2-3",
            "bytes=1--2",
        ),
        *("bytes=+1-2", "bytes=0x1-2", "bytes=1 - 2", "bytes=--1", "items=0-1", "bytes 0-1", "bytes=0-1;2-3"),
        *("bytes=1.0-2", "bytes=0-1, x", "bytes=99999999999999999999-", "bytes=0-1\n", "none"),
        "bytes=" + ",".join(f"{start * 2}-{start * 2}" for start in range(MAX_RANGES + 1)),
    ],
)
def test_what_is_ignored(field: str) -> None:
    assert wanted_spans(field, SIZE) is None


def test_digits_of_other_scripts_are_no_numbers() -> None:
    assert wanted_spans("bytes=\N{ARABIC-INDIC DIGIT ZERO}-\N{ARABIC-INDIC DIGIT NINE}", SIZE) is None


Spec = tuple[int | None, int | None]
# first-last, first-, -suffix
SPECS: st.SearchStrategy[Spec] = st.one_of(
    st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda ends: (min(ends), max(ends))),
    st.tuples(st.integers(0, 60), st.none()),
    st.tuples(st.none(), st.integers(0, 60)),
)


def model(specs: list[Spec], size: int) -> set[int]:
    """Return the positions of all bytes that are asked for and there."""
    wanted: set[int] = set()
    for first, last in specs:
        if first is None:
            wanted |= set(range(max(0, size - (last or 0)), size))
        else:
            wanted |= {at for at in range(size) if first <= at and (last is None or at <= last)}
    return wanted


@given(st.lists(SPECS, min_size=1, max_size=6), st.integers(0, 50))
def test_the_spans_cover_what_is_asked_for_once_and_nothing_else(specs: list[Spec], size: int) -> None:
    text = ["" if number is None else str(number) for spec in specs for number in spec]
    field = "bytes=" + ",".join(f"{first}-{last}" for first, last in zip(text[::2], text[1::2], strict=True))
    spans = wanted_spans(field, size)
    assert spans is not None
    covered = [at for span in spans for at in range(span.start, span.stop)]
    assert len(covered) == len(set(covered))
    assert set(covered) == model(specs, size)
    assert all(span.size > 0 for span in spans)


@given(st.text("bytes=0123456789-, \t", max_size=40), st.integers(0, 50))
def test_no_text_stops_it(field: str, size: int) -> None:
    for text in (field, f"bytes={field}"):
        for span in wanted_spans(text, size) or []:
            assert 0 <= span.start < span.stop <= size
