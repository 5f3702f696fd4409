from __future__ import annotations

import pytest

from bundler.archive.part_names import (
    archive_name,
    as_part,
    files_of_split,
    parity_names,
    part_name,
    part_names,
)


@pytest.mark.parametrize(("count", "last"), [(1, "a.tar.gz.000"), (1000, "a.tar.gz.999"), (1001, "a.tar.gz.1000")])
def test_numbers_of_a_set_have_one_width_so_that_a_glob_sorts_them(count: int, last: str) -> None:
    names = part_names("a.tar.gz", count)
    assert names[-1] == last
    assert sorted(names) == list(names)
    assert len({*map(len, names)}) == 1


def test_parity_has_numbers_of_its_own() -> None:
    assert parity_names("a.tar.gz", 2) == ("a.tar.gz.p00", "a.tar.gz.p01")
    assert parity_names("a.tar.gz", 101)[0] == "a.tar.gz.p000"


def test_a_part_that_is_begun_has_the_number_alone() -> None:
    assert part_name("a.tar.gz", 7) == "a.tar.gz.007"
    assert part_name("a.tar.gz", 1234) == "a.tar.gz.1234"


@pytest.mark.parametrize("suffix", [".000", ".p00", ".0042", ".sha256", ".parts.sha256", ".parity.json", ""])
def test_every_file_of_a_set_names_its_archive(suffix: str) -> None:
    assert archive_name(f"a-1.0.tar.gz{suffix}") == "a-1.0.tar.gz"


def test_short_numbers_are_no_parts() -> None:
    assert as_part("a.tar.gz.01") is None
    assert as_part("release.20250301") is None


def test_what_another_run_left_is_told_from_files_of_others() -> None:
    names = [
        "a.tar.gz",
        "a.tar.gz.003",
        "a.tar.gz.p01",
        "a.tar.gz.parity.json",
        "a.tar.gz.sha256",
        "b.tar.gz.000",
        "a.2025",
    ]
    assert files_of_split("a.tar.gz", names) == {"a.tar.gz.003", "a.tar.gz.p01", "a.tar.gz.parity.json"}
    assert files_of_split("a", names) == frozenset()
    assert files_of_split("a", names, {"a.2025"}) == {"a.2025"}
