"""The arithmetic of a plan, and when a build is refused for want of room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, StorageError
from bundler.kinds.base import Estimate, Fetch
from bundler.model.digest import Blob
from bundler.model.lock import Lock, LockedEntry
from bundler.pipeline.context import Room
from bundler.pipeline.discovery import WantedEntry
from bundler.pipeline.estimating import Estimated
from bundler.pipeline.planning import (
    OVERHEAD_BYTES,
    build_plan,
    file_size_warning,
    plan_estimates,
    plan_lock,
    require_room,
    with_parity,
)
from tests.fakes.build_context import build_context
from tests.fakes.notes import NoteArtifact, NoteEntry

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1 << 30
ONE, TWO = Blob.of(b"x" * 100), Blob.of(b"y" * 50)


def fetch(label: str, *provides: Blob, transfer: int, scratch: int = 0) -> Fetch:
    return Fetch(label, provides, transfer, scratch, (label,), None)


def test_what_the_store_has_is_not_fetched() -> None:
    found = build_plan(
        [("k", fetch("one", ONE, transfer=100)), ("k", fetch("two", TWO, transfer=50))],
        lambda blob: blob == ONE,
        jobs=1,
        content_bytes=150,
    )
    assert [item.present for item in found.fetches] == [True, False]
    assert (found.fetch_bytes, found.present_bytes, found.archive_bytes) == (50, 100, 150 + OVERHEAD_BYTES)
    assert found.total_bytes == 150


def test_half_present_is_fetched_whole() -> None:
    found = build_plan(
        [("k", fetch("both", ONE, TWO, transfer=150))], lambda blob: blob == ONE, jobs=1, content_bytes=0
    )
    assert found.fetch_bytes == 150


def test_scratch_space_is_that_of_the_largest_running_together() -> None:
    fetches = [("k", fetch(str(size), transfer=1, scratch=size)) for size in (10, 30, 20)]
    assert build_plan(fetches, lambda _: False, jobs=2, content_bytes=0).scratch_bytes == 50


def test_estimates_count_shared_blobs_once_and_name_the_unknown(tmp_path: Path) -> None:
    layer = fetch("layer", ONE, transfer=100)
    estimates = [
        Estimated(WantedEntry("k", NoteEntry("a")), Estimate((layer, fetch("a", transfer=7)))),
        Estimated(WantedEntry("k", NoteEntry("b")), Estimate((layer,), unknown=("b",))),
    ]
    found = plan_estimates(estimates, build_context(tmp_path))
    assert found.fetch_bytes == 107
    assert found.unknown == ("b",)


def test_estimates_count_a_download_of_several_entries_once_and_its_content_for_each(tmp_path: Path) -> None:
    whole, part = (Fetch(label, (), 100, 0, (label,), None, origin="https://h/x") for label in ("whole", "part"))
    wanted = WantedEntry("k", NoteEntry("a"))
    found = plan_estimates([Estimated(wanted, Estimate((one,))) for one in (whole, part)], build_context(tmp_path))
    assert (found.total_bytes, found.archive_bytes) == (100, 200 + OVERHEAD_BYTES)


def test_a_file_in_two_places_takes_room_in_each_of_them_and_what_several_share_in_one(tmp_path: Path) -> None:
    artifacts = (NoteArtifact("a", ONE), NoteArtifact("b", ONE), NoteArtifact("c", TWO))
    entries = tuple(LockedEntry("note", name, TWO.digest, artifacts) for name in ("first", "second"))
    found = plan_lock(Lock(TWO.digest, (), {}, entries), build_context(tmp_path))
    assert found.archive_bytes == 100 + 100 + 50 + OVERHEAD_BYTES


@pytest.mark.parametrize(
    ("store_free", "output_free", "same_disk", "refused"),
    [
        (1_000, OVERHEAD_BYTES + 500, False, ""),
        (99, OVERHEAD_BYTES + 500, False, "/store"),
        (1_000, OVERHEAD_BYTES, False, "/out"),
        (OVERHEAD_BYTES + 150, OVERHEAD_BYTES + 150, True, "/store"),
        (OVERHEAD_BYTES + 200, OVERHEAD_BYTES + 200, True, ""),
    ],
)
def test_room_is_wanted_on_each_disk_and_together_on_one(
    store_free: int, output_free: int, same_disk: bool, refused: str
) -> None:
    found = build_plan([("k", fetch("one", ONE, transfer=100))], lambda _: False, jobs=1, content_bytes=100)
    store, output = Room("/store", 1, store_free), Room("/out", 1 if same_disk else 2, output_free)
    if not refused:
        require_room(found, store, output)
        return
    with pytest.raises(StorageError) as caught:
        require_room(found, store, output)
    assert caught.value.id is ErrorId.DISK_FULL
    assert caught.value.where == refused


@pytest.mark.parametrize(
    ("limit", "part_bytes", "warned"),
    [(None, None, ""), (GIB, None, "the archive"), (4 * GIB, None, ""), (GIB, 2 * GIB, "a part"), (GIB, GIB, "")],
)
def test_a_disk_that_takes_no_such_file_is_told(limit: int | None, part_bytes: int | None, warned: str) -> None:
    found = build_plan([], lambda _: False, jobs=1, content_bytes=3 * GIB)
    text = file_size_warning(found, Room("/stick", 1, 9 * GIB, limit), part_bytes)
    assert bool(text) == bool(warned)
    assert warned in text


def test_parity_wants_room_beside_the_archive() -> None:
    found = build_plan([], lambda _: False, jobs=1, content_bytes=GIB)
    assert with_parity(found, None) == found
    assert found.archive_bytes * 1.1 < with_parity(found, 10).archive_bytes < found.archive_bytes * 1.12
