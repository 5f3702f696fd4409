"""Small files kept in memory: the right bytes, and never those of a file that is no longer there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mirror.http.response import file_response
from mirror.http.response_cache import MAX_ACCEPT_CHARACTERS, MAX_FILE_BYTES, MAX_TOTAL_BYTES, ResponseCache
from mirror.tree.open_file import open_to_send
from mirror.tree.quarantine import hash_again
from tests.unit.mirror.bundle_tree import file_at, opened, site_of, write_bundle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.tree.served import File
    from mirror.tree.site import Site

SMALL = b"small\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_bundle(tmp_path, {"small": SMALL, "large": b"x" * (MAX_FILE_BYTES + 1), "most": b"y" * MAX_FILE_BYTES})


@pytest.fixture
def site(root: Path) -> Iterator[Site]:
    with opened(root) as handle:
        yield site_of(handle)


def keep(
    cache: ResponseCache, file: File, target: bytes, now_s: int = 1, accept: str | None = None, **fields: str
) -> None:
    response = file_response({name.encode(): value for name, value in fields.items()}, file)
    opened_file = open_to_send(file)
    try:
        cache.keep(target, response, opened_file, now_s, accept)
    finally:
        opened_file.close()


def test_what_is_kept_is_the_whole_answer(site: Site) -> None:
    cache = ResponseCache()
    file = file_at(site, "small")
    keep(cache, file, b"/small")
    kept = cache.get(b"/small", 1)
    assert kept is not None
    head, _, body = kept.rest.partition(b"\r\n\r\n")
    assert body == SMALL
    assert b"Content-Length: 6" in head.split(b"\r\n")
    assert f"ETag: {file.etag}".encode() in head.split(b"\r\n")
    assert (kept.size, kept.bundle) == (6, file.bundle)
    assert cache.get(b"/other", 1) is None


@pytest.mark.parametrize(("path", "is_kept"), [("small", True), ("most", True), ("large", False)])
def test_only_small_files_are_kept(site: Site, path: str, is_kept: bool) -> None:
    cache = ResponseCache()
    keep(cache, file_at(site, path), b"/it")
    assert (cache.get(b"/it", 1) is not None) is is_kept


def test_a_part_is_not_kept_for_the_whole(site: Site) -> None:
    cache = ResponseCache()
    keep(cache, file_at(site, "small"), b"/small", range="bytes=0-1")
    assert cache.get(b"/small", 1) is None


@pytest.mark.parametrize("change", ["changed", "removed", "replaced by a link"])
def test_a_change_is_noticed_in_the_next_second(site: Site, root: Path, change: str) -> None:
    cache = ResponseCache()
    keep(cache, file_at(site, "small"), b"/small")
    if change == "changed":
        (root / "small").write_bytes(b"other\n")
    else:
        (root / "small").rename(root / "elsewhere")
    if change == "replaced by a link":
        (root / "small").symlink_to("elsewhere")
    kept = cache.get(b"/small", 1)
    assert kept is not None
    assert kept.rest.endswith(SMALL)
    assert cache.get(b"/small", 2) is None


def test_a_file_that_was_written_to_before_it_was_read_is_not_kept(site: Site, root: Path) -> None:
    cache = ResponseCache()
    file = file_at(site, "small")
    opened_file = open_to_send(file)
    with (root / "small").open("r+b") as stream:
        stream.write(b"other")
    cache.keep(b"/small", file_response({}, file), opened_file, 1)
    opened_file.close()
    assert cache.get(b"/small", 1) is None


def test_a_file_that_shrank_is_not_kept(site: Site, root: Path) -> None:
    cache = ResponseCache()
    file = file_at(site, "small")
    opened_file = open_to_send(file)
    os.truncate(root / "small", 3)
    cache.keep(b"/small", file_response({}, file), opened_file, 1)
    opened_file.close()
    assert cache.get(b"/small", 1) is None


def test_a_file_that_was_looked_at_again_is_kept_again(site: Site, root: Path) -> None:
    cache = ResponseCache()
    file = file_at(site, "small")
    keep(cache, file, b"/small")
    os.link(root / "small", root / "linked")
    assert cache.get(b"/small", 2) is None
    again, _ = hash_again(file)
    assert again is not None
    keep(cache, again, b"/small", 2)
    assert cache.get(b"/small", 3) is not None


def test_memory_is_bounded(site: Site) -> None:
    cache = ResponseCache()
    file = file_at(site, "most")
    for number in range(2 * MAX_TOTAL_BYTES // MAX_FILE_BYTES):
        keep(cache, file, f"/{number}".encode())
        assert sum(len(kept.rest) for kept in cache._by_target.values()) <= MAX_TOTAL_BYTES
    cache.forget()
    assert cache.get(f"/{number}".encode(), 1) is None


@pytest.mark.parametrize(("length", "is_kept"), [(MAX_ACCEPT_CHARACTERS, True), (MAX_ACCEPT_CHARACTERS + 1, False)])
def test_an_answer_that_hangs_on_a_long_accept_field_is_not_kept(site: Site, length: int, *, is_kept: bool) -> None:
    cache = ResponseCache()
    keep(cache, file_at(site, "small"), b"/small", accept="a" * length)
    assert (cache.get(b"/small", 1) is not None) is is_kept
