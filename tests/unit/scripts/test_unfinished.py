"""What a run has not finished, from its record."""

from __future__ import annotations

from scripts.suite.unfinished import progress, unfinished_lines

RECORD = (
    '["collected", ["a.py::one", "a.py::two", "b.py::one", "b.py::two", "c.py::one", "d.py::one", "d.py::two"]]\n',
    # each of two workers says what it has collected
    '["collected", ["a.py::one", "a.py::two", "b.py::one", "b.py::two", "c.py::one", "d.py::one", "d.py::two"]]\n',
    '["began", ["a.py::one"]]\n',
    '["ended", ["a.py::one"]]\n',
    '["began", ["b.py::one"]]\n',
    '["began", ["d.py::one"]]\n',
    '["ended", ["d.py::one"]]\n',
    '["began", ["c.py',
)


def test_what_is_missing_is_known_by_name() -> None:
    found = progress(RECORD)
    assert len(found.collected) == 7
    assert found.running == ("b.py::one",)
    assert found.waiting == ("a.py::two", "b.py::two", "c.py::one", "d.py::two")
    assert found.unfinished == 5


def test_a_file_of_which_no_test_was_begun_has_one_line() -> None:
    found = progress([*RECORD[:1], '["began", ["b.py::one"]]\n'])
    assert unfinished_lines(found) == [
        "b.py::one (was running)",
        "a.py (all 2)",
        "b.py::two",
        "c.py::one",
        "d.py (all 2)",
    ]


def test_a_record_of_nothing_is_no_progress() -> None:
    assert progress([]).unfinished == 0
    assert unfinished_lines(progress((*RECORD[:1], '["ended", ["c.py::one"]]\n')))[-1] == "d.py (all 2)"
