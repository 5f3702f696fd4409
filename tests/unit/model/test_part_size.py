from __future__ import annotations

import pytest

from bundler.model.part_size import parse_part_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("fat32", 2**32 - 1), ("64KiB", 65_536), ("700MiB", 734_003_200), ("4GiB", 2**32), ("dvd", 4_697_620_480)],
)
def test_sizes_have_units_or_are_media(text: str, size: int) -> None:
    assert parse_part_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "4", "4GB", "4 GiB", "0MiB", "-1MiB", "63KiB", "FAT32", "1.5GiB", "1000000000GiB"]
)
def test_what_is_no_size_says_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match="KiB"):
        parse_part_size(text)
