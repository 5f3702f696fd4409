"""A comparison of digests as a browser follows it, and as the real mirror does it when it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mirror.tree.comparison import Comparison
from tests.integration.demo_bundle import demo_bundle
from tests.integration.mirror_program import mirror

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.page_server import PageServer
    from tests.integration.page.chromium import Chromium

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def comparisons(server: PageServer) -> Iterator[dict[int, Comparison]]:
    """How far comparisons of the server's bundles are; none at the end."""
    yield server.comparisons
    server.comparisons.clear()


def test_the_page_follows_it_and_shows_what_came_of_it(
    browser: Chromium, base_url: str, server: PageServer, comparisons: dict[int, Comparison]
) -> None:
    assert server.site.current is not None
    number, size = server.site.current.number, server.site.current.content_bytes
    comparisons[number] = Comparison(False, 10, size // 10 + 1, 0)
    browser.open(f"{base_url}/")
    assert browser.run("return document.getElementById('compare').value") == 10
    assert "10 of 502 files" in browser.text(".trust")
    comparisons[number] = Comparison(False, 400, size // 2, 0)
    browser.wait_for("return document.getElementById('compare')?.value === 50")
    assert "400 of 502 files" in browser.text(".trust")
    assert browser.run("return document.documentElement.scrollWidth") <= 1280
    comparisons[number] = Comparison(True, 502, size, 1, 1_700_000_000)
    browser.wait_for("return document.getElementById('compare') === null")
    # of this bundle a file is refused
    assert "Digests do not match" in browser.text(".trust")


def test_without_scripts_it_says_how_to_follow_it(
    browser: Chromium, base_url: str, server: PageServer, comparisons: dict[int, Comparison]
) -> None:
    assert server.site.current is not None
    comparisons[server.site.current.number] = Comparison(False, 10, 1, 0)
    browser.scripts(on=False)
    browser.open(f"{base_url}/")
    assert "Load this page again" in browser.text(".trust")


def test_the_mirror_itself_compares_when_the_button_is_pressed(
    browser: Chromium, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with mirror(demo_bundle(tmp_path_factory.mktemp("site"))) as running:
        browser.open(f"{running.url}/?lang=zh")
        browser.click(".compare button")
        # the script loads the page again when it is over
        browser.wait_for("return document.querySelector('.trust .icon-shield') !== null")
        assert "摘要已校验" in browser.text(".trust")
        assert running.health()[1]["verified"] is True
        # another host than the one that the fixture looks for
        browser.requested_hosts()
