"""What a person reads when something cannot be served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mirror.page.pages import Pages
from mirror.page.problems import EXPLAINED
from tests.fakes.page_views import served, view
from tests.fakes.served_tree import listed, make_index
from tests.unit.mirror.page.parsed import Parsed

if TYPE_CHECKING:
    from pathlib import Path

    from mirror.page.languages import Language


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("status", [*EXPLAINED, 408, 431, 500, 505])
def test_every_status_says_what_happened_and_what_to_do(status: int, language: Language) -> None:
    page = Parsed(Pages().problem(status, view(language=language), path="/yum/x.rpm").body)
    assert page.unclosed == []
    assert str(status) in page.text
    assert ("What to do next" if language == "en" else "接下来怎么办") in page.text
    assert "/" in page.links
    assert "`" not in page.text


def test_not_found_offers_a_search_and_the_closest_directory(tmp_path: Path) -> None:
    with served(tmp_path, {"": make_index([listed("a b/c/file", 1)])}) as site:
        page = Parsed(Pages().problem(404, view(), path="/a b/c/d/e/keadm amd64", site=site).body)
        top = Parsed(Pages().problem(404, view(), path="/x/y", site=site).body)
    assert "/-/search?q=keadm+amd64" in page.links
    assert "/a%20b/c/" in page.links
    assert [link for link in top.links if link.startswith("/x")] == []


def test_programs_get_three_lines() -> None:
    rendered = Pages().problem(503, view(), path="/yum/x.rpm", plain=True)
    assert rendered.media_type == "text/plain; charset=utf-8"
    first, *_ = rendered.body.decode().splitlines()
    assert first == "503 This file is not the one that the bundle lists: /yum/x.rpm"
