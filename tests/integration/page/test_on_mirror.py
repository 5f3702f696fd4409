"""The page as the real `mirror serve` hands it out: its fields, cookies and snippets together with a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.demo_bundle import demo_bundle
from tests.integration.mirror_program import mirror
from tests.integration.page.test_behaviour import BACKGROUND, DARK, LIGHT, RESULTS, clipboard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.page.chromium import Chromium

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An unpacked bundle with packages, images and files."""
    return demo_bundle(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def base_url(tree: Path) -> Iterator[str]:
    """Where the real mirror serves it."""
    with mirror(tree) as running:
        yield running.url


def test_results_come_while_typing_from_the_mirror_itself(browser: Chromium) -> None:
    browser.press("/", *"demo-agent")
    browser.wait_for(f"const found = (() => {{ {RESULTS} }})(); return found.length > 0")
    assert any(title.startswith("demo-agent-2.0-1") for title in browser.run(RESULTS))


def test_language_is_kept_by_the_mirrors_cookie(browser: Chromium, base_url: str) -> None:
    browser.click(".language button")
    browser.wait_for("return document.documentElement.lang === 'zh-CN'")
    browser.open(f"{base_url}/yum/")
    assert browser.run("return document.documentElement.lang") == "zh-CN"
    browser.click(".language button")
    browser.wait_for("return document.documentElement.lang === 'en'")


def test_colours_are_chosen(browser: Chromium) -> None:
    browser.prefer(dark=False)
    assert browser.run(BACKGROUND) == LIGHT
    browser.click(".theme")
    assert browser.run(BACKGROUND) == DARK


def test_what_is_copied_is_what_the_mirror_serves_to_scripts(browser: Chromium, base_url: str) -> None:
    browser.click(".snippet .copy")
    browser.wait_for("return document.getElementById('said').textContent === 'Copied'")
    copied = clipboard(browser, base_url)
    assert f"curl -gfsS -o edge.sh {base_url}/-/edge.sh" in copied
    served = browser.run("return fetch('/-/client/edge-node.sh').then(answer => answer.text())")
    assert copied.strip() == served.strip()


def test_a_file_that_is_not_there_is_told_in_words(browser: Chromium, base_url: str) -> None:
    browser.open(f"{base_url}/yum/nothing.rpm")
    assert "404" in browser.text("main")
    assert browser.run("return document.querySelector('main a[href=\"/yum/\"]') !== null")


def test_the_pages_work_on_a_phone(browser: Chromium, base_url: str) -> None:
    browser.size(320, 640, phone=True)
    for path in ("/", "/yum/", "/k8simage/", "/-/search?q=demo"):
        browser.open(base_url + path)
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), path
