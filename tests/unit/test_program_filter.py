"""A program that bytes go through: more than pipes hold comes out, and one that fails is an error."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bundler.program_filter import FailedFilterError, filtered

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = random.Random(1).randbytes(1 << 20)


def test_what_goes_in_comes_out() -> None:
    assert b"".join(filtered(("/bin/cat",), [DATA, DATA], environment={})) == DATA * 2


def test_nothing_goes_in() -> None:
    assert b"".join(filtered(("/bin/cat",), [], environment={})) == b""


def test_a_program_may_print_all_in_the_end() -> None:
    assert b"".join(filtered(("/bin/sh", "-c", "x=$(wc -c); echo $x"), [DATA] * 3, environment={})) == b"3145728\n"


def test_it_has_the_environment_that_it_is_given() -> None:
    assert b"".join(filtered(("/usr/bin/env",), [], environment={"A": "b"})) == b"A=b\n"


@pytest.mark.parametrize("script", ["exit 3", "kill -9 $$", "head -c 5", "exec <&-; sleep 0.1"])
def test_a_program_that_fails_is_an_error(script: str) -> None:
    with pytest.raises(FailedFilterError):
        b"".join(filtered(("/bin/sh", "-c", script), [DATA] * 3, environment={}))


def test_a_program_that_is_not_there_cannot_be_started() -> None:
    with pytest.raises(FileNotFoundError):
        b"".join(filtered(("/nowhere",), [], environment={}))


def test_it_ends_with_its_reader() -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield DATA

    with closing(filtered(("/bin/cat",), endless(), environment={})) as printed:
        assert next(printed)


def test_what_the_pieces_raise_ends_the_program() -> None:
    def failing() -> Iterator[bytes]:
        yield b"x"
        raise LookupError

    with pytest.raises(LookupError):
        b"".join(filtered(("/bin/cat",), failing(), environment={}))
