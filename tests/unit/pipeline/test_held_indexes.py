"""How many indexes are in memory at a time: each of 50,000 files takes tens of megabytes.

Counted without the garbage collector's help, so that what is let go is gone at once.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bundler.archive.checked_index import CheckedIndex
from bundler.pipeline.bases import open_bases
from bundler.pipeline.merging import MergeRequest, merge
from bundler.source.open_source import open_source
from tests.fakes.progress import RecordingProgress
from tests.unit.pipeline.test_delta_build import Works

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bundler.archive.bundle_reader import BundleReader


@pytest.fixture
def works(tmp_path: Path) -> Iterator[Works]:
    gc.collect()
    gc.disable()
    yield Works(tmp_path)
    gc.enable()


def held() -> int:
    return sum(type(one) is CheckedIndex for one in gc.get_objects())


def test_of_a_base_nothing_stays_but_what_is_asked(works: Works) -> None:
    before = held()
    assert len(open_bases([str(works.build("base.tar.gz").path)]).opened) == 1
    assert held() == before


def test_a_merge_holds_the_delta_s_index_and_one_more(works: Works) -> None:
    sources = [works.build("first.tar.gz").path]
    for number in range(3):
        works.update("a", f"release {number}")
        sources.append(works.build(f"delta-{number}.tar.gz", sources[0]).path)
    before, counts = held(), list[int]()

    @contextmanager
    def opened(source: str) -> Iterator[BundleReader]:
        with open_source(source) as reader:
            counts.append(held() - before)
            yield reader

    request = MergeRequest([*map(str, sources)], str(works.directory / "merged.tar.gz"), opened, opened)
    merge(request, RecordingProgress())
    assert len(counts) == 2 * len(sources)
    assert max(counts) <= 2
