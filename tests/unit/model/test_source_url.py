from __future__ import annotations

import os

import pytest

from bundler.model.source_url import absolute_url, last_segment, url_problem


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("https://h/a%20b?c=d", "https://h/a%20b?c=d"),
        ("notes.txt", "file:///home/op/m/notes.txt"),
        ("../a b#1?.txt", "file:///home/op/a%20b%231%3F.txt"),
        ("/srv/x", "file:///srv/x"),
        ("中.txt", "file:///home/op/m/%E4%B8%AD.txt"),
    ],
)
def test_a_path_is_resolved_against_the_manifests_directory(url: str, absolute: str) -> None:
    assert url_problem(url) == ""
    assert absolute_url(url, "/home/op/m") == absolute


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/a%2Bb.tgz?c=1#x", "a+b.tgz"),
        ("d/a b.tgz", "a b.tgz"),
        ("file:///d/x", "x"),
        ("https://h/", ""),
    ],
)
def test_the_last_segment_is_the_files_name(url: str, name: str) -> None:
    assert last_segment(url) == name


@pytest.mark.parametrize("url", ["https://h:port/x", "https://[::1/x", "https://h/\x7f", "//h/x", "mailto:x", "dir/"])
def test_what_is_no_place_to_download_from_is_told(url: str) -> None:
    assert url_problem(url)


def test_a_directory_whose_name_is_no_utf8_is_a_place_too() -> None:
    assert absolute_url("x", os.fsdecode(b"/d\xff")) == "file:///d%FF/x"
