"""The mirror's own pages: what they cost whoever asks for them by the thousand."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from mirror.http.exchange import Exchange, PreparedResponse
from mirror.http.handler import Handler
from mirror.http.own_urls import OwnUrls
from mirror.http.thread_work import ThreadWork
from mirror.page.pages import Pages
from mirror.worker.findings import Findings
from tests.unit.mirror.http.test_server import a_worker
from tests.unit.mirror.sites import index_of, site_of
from tests.work_count import executed_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.http.response import OutgoingResponse

FILES, REPOSITORIES = 20_000, 20


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[Handler]:
    """What decides for a worker whose bundle has many files and repositories."""
    many = {f"yum{n % REPOSITORIES}/p{n}.rpm": b"" for n in range(FILES)}
    index = index_of({**many, **{f"yum{n}/repodata/repomd.xml": b"" for n in range(REPOSITORIES)}})
    with a_worker(tmp_path / "root") as worker:
        worker.serving.site = site_of(index)
        loop = asyncio.new_event_loop()
        yield Handler(worker, OwnUrls(worker, Pages(), Findings(worker, lambda: None)), ThreadWork(loop))
        loop.close()


def ask(handler: Handler, target: bytes) -> OutgoingResponse:
    """Return what is answered at once."""
    fields = {b"host": "master:8088"}
    found = handler.decide(Exchange("GET", target, fields, keeps=True, http_1_0=False, remote="198.51.100.1"))
    assert isinstance(found, PreparedResponse)
    return found.response


@pytest.mark.parametrize(("target", "status"), [(b"/nothing", 404), (b"/%zz", 400)])
def test_what_shows_no_commands_does_not_read_the_whole_index(target: bytes, status: int, handler: Handler) -> None:
    # what is made once for all requests
    assert ask(handler, target).status == status
    assert executed_lines(lambda: ask(handler, target)) < FILES / 10


def test_the_top_says_what_to_type(handler: Handler) -> None:
    (body,) = ask(handler, b"/").pieces
    assert isinstance(body, bytes)
    # lines may end within it
    assert b"http://master:8088/-/client/yum0-http.repo" in re.sub(rb"<[^>]*>", b"", body)


def test_a_script_for_many_files_is_made_once_and_goes_out_as_it_is_mapped(handler: Handler) -> None:
    before, address, after = ask(handler, b"/-/edge.sh").pieces
    assert isinstance(before, bytes)
    assert address == b"'http://master:8088/@.'"
    assert isinstance(after, memoryview)
    # a line for each file that is for everybody
    assert bytes(after).count(b"\nxav\t") == FILES + REPOSITORIES
