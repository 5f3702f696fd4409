"""A block of ours in somebody else's file: replaced whole, taken out without a trace, nothing else touched."""

from __future__ import annotations

import pytest

from bundler.host.marked_lines import Place, marks_of, with_block, without_block

MARKS, THEIRS = marks_of("test"), marks_of("other")
LINES = ("one", "two")
BLOCK = b"# test: begin\none\ntwo\n# test: end\n"


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"\n", b"a\n", b"a\n\n", b"a\r\nb\r\n"),
        *(b"# caf\xe9\na\n", b"\xff\xfe\n", "# 语\n".encode()),
        # what Python, but no program that reads such files, takes for the end of a line
        *(f"# a{separator}b\n".encode() for separator in ("\v", "\f", "\x1c", "\x85", "\u2028")),
    ],
)
def test_what_is_taken_out_is_what_was_put_in(content: bytes) -> None:
    held = with_block(content, LINES, MARKS)
    assert held == content + BLOCK
    assert with_block(held, LINES, MARKS) == held
    assert without_block(held, MARKS) == content
    assert without_block(content, MARKS) == content


def test_a_block_is_replaced_whole_and_moves_to_its_place() -> None:
    held = b"a\n" + BLOCK + b"b\n"
    assert with_block(held, ("three",), MARKS) == b"a\nb\n# test: begin\nthree\n# test: end\n"
    first = Place("at its beginning", lambda kept, block: [*block, *kept])
    assert with_block(held, ("three",), MARKS, first) == b"# test: begin\nthree\n# test: end\na\nb\n"


def test_blocks_of_two_owners_do_not_know_each_other() -> None:
    both = with_block(with_block(b"a\n", LINES, MARKS), ("x",), THEIRS)
    assert without_block(both, MARKS) == with_block(b"a\n", ("x",), THEIRS)


@pytest.mark.parametrize(
    "content", [b"# test: begin\none\na\n", b"a\n# test: end\n", b"# test: begin \none\n# test: end\n"]
)
def test_marks_without_their_other_half_take_nothing_with_them(content: bytes) -> None:
    assert without_block(content, MARKS) == content


def test_a_last_line_without_an_end_gets_one() -> None:
    assert with_block(b"a", LINES, MARKS) == b"a\n" + BLOCK


def test_the_nearest_beginning_counts() -> None:
    assert without_block(b"# test: begin\nmine\n" + BLOCK + b"b\n", MARKS) == b"# test: begin\nmine\nb\n"


def test_a_block_stays_ours_when_an_editor_changes_the_ends_of_lines() -> None:
    held = (b"a\n" + BLOCK).replace(b"\n", b"\r\n")
    assert without_block(held, MARKS) == b"a\r\n"
    assert with_block(held, LINES, MARKS) == b"a\r\n" + BLOCK
