from __future__ import annotations

import io

import pytest

from bundler.kinds.runtime.elf import ElfFile, read_elf
from tests.fakes.elf_file import AARCH64, elf_file


def test_what_a_program_asks_for() -> None:
    data = elf_file(
        AARCH64,
        interpreter="/lib/ld-linux-aarch64.so.1",
        needed=["libc.so.6", "libm.so.6"],
        versions={"libc.so.6": ["GLIBC_2.9", "GLIBC_2.17"], "libm.so.6": ["GLIBC_2.2", "GLIBC_PRIVATE"]},
    )

    elf = read_elf(io.BytesIO(data))

    versions = frozenset({"GLIBC_2.9", "GLIBC_2.17", "GLIBC_2.2", "GLIBC_PRIVATE"})
    assert elf == ElfFile(AARCH64, "/lib/ld-linux-aarch64.so.1", ("libc.so.6", "libm.so.6"), versions)
    assert elf.glibc == (2, 17)


def test_a_file_that_asks_for_nothing() -> None:
    elf = read_elf(io.BytesIO(elf_file()))
    assert elf is not None
    assert (elf.glibc, elf.needed, elf.interpreter) == ((), (), "")


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x7fEL", b"import os\n" * 100])
def test_other_files_are_left_alone(data: bytes) -> None:
    assert read_elf(io.BytesIO(data)) is None


WHOLE = elf_file(interpreter="/l", needed=["libc.so.6"], versions={"libc.so.6": ["GLIBC_2.17"]})


@pytest.mark.parametrize("length", range(4, len(WHOLE), 7))
def test_one_that_is_cut_short_is_told(length: int) -> None:
    with pytest.raises(ValueError, match=r"cut short|no whole|points to"):
        read_elf(io.BytesIO(WHOLE[:length]))


@pytest.mark.parametrize("place", range(4, len(WHOLE), 3))
def test_a_damaged_one_is_read_or_told_and_nothing_else(place: int) -> None:
    for value in (0, 0x7F, 0xFF):
        damaged = WHOLE[:place] + bytes((value,)) + WHOLE[place + 1 :]
        try:
            read_elf(io.BytesIO(damaged))
        except ValueError:
            continue
