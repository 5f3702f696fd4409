"""Listings as clients read them."""

from __future__ import annotations

import pytest

from mirror.ftp.listings import FACTS, chunks, fact_line, list_line, name_line
from mirror.tree.served import DirectoryEntry, File, FilePlace

NOW_S = 1_700_000_000
DAY_S = 86_400


def entry(name: str, *, size: int = 5, modified_s: int = NOW_S - DAY_S) -> DirectoryEntry:
    return DirectoryEntry(name, File(FilePlace(-1, name), size, '"x"', modified_s, "text/plain", None, "", name))


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (entry("a b"), "-r--r--r--   1 ftp      ftp                 5 Nov 13 22:13 a b\r\n"),
        (
            entry("x", size=5 * 10**12, modified_s=0),
            "-r--r--r--   1 ftp      ftp      5000000000000 Jan  1  1970 x\r\n",
        ),
        (
            entry("ahead", modified_s=NOW_S + DAY_S),
            "-r--r--r--   1 ftp      ftp                 5 Nov 15  2023 ahead\r\n",
        ),
        (DirectoryEntry("yum", None), "dr-xr-xr-x   2 ftp      ftp              4096 Nov 14 22:13 yum\r\n"),
    ],
)
def test_list_is_what_ls_writes(listed: DirectoryEntry, expected: str) -> None:
    assert list_line(listed, NOW_S, NOW_S) == expected


def test_facts_are_those_that_were_asked_for() -> None:
    assert fact_line(entry("a", modified_s=0), 0, FACTS) == "type=file;perm=r;size=5;modify=19700101000000; a\r\n"
    assert fact_line(DirectoryEntry("d", None), 0, FACTS) == "type=dir;perm=el;modify=19700101000000; d\r\n"
    assert fact_line(entry("a"), 0, ["size"]) == "size=5; a\r\n"
    assert fact_line(entry("a"), 0, []) == " a\r\n"


def test_a_name_that_would_break_a_line_is_left_out() -> None:
    names = ["a", "b\r\n-r--r--r-- 1 0 0 0 Jan 1 1970 evil", "c\x1b", "d", "\udcff"]
    assert b"".join(chunks([entry(name) for name in names], name_line)) == b"a\r\nd\r\n\xff\r\n"


def test_a_long_listing_comes_in_parts() -> None:
    parts = list(chunks([entry(str(number)) for number in range(1200)], name_line))
    assert len(parts) == 3
    assert b"".join(parts) == b"".join(b"%d\r\n" % number for number in range(1200))
    assert list(chunks([], name_line)) == []
