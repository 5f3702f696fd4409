"""How the page looks in a real browser: nothing overflows a phone, everything can be read in both colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.page.chromium import Chromium

# one worker of a parallel run has the browser
pytestmark = pytest.mark.xdist_group("browser")
PATHS = (
    *("/", "/yum/", "/k8simage/", "/k8simage/blobs/sha256/", "/many/?page=2", "/odd/", "/@kubeedge-2024.11/"),
    *("/-/search?q=kube", "/-/search?q=nothing-like-it", "/-/nothing/here", "/?lang=zh", "/yum/?lang=zh"),
)
READABLE = 4.5  # WCAG 2.2, 1.4.3, for text of any size
# for every text that is shown: its contrast with what lies behind it (WCAG 2.2, relative luminance)
CONTRASTS = """
const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const [r, g, b, alpha = 1] = parse(getComputedStyle(e).backgroundColor);
    if (alpha === 1) return [r, g, b];
    if (alpha !== 0) throw new Error("half transparent: " + e.className);
  }
  return [255, 255, 255];
};
const found = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const element = walk.currentNode.parentElement;
  if (!walk.currentNode.textContent.trim() || !element.checkVisibility()) continue;
  const pair = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
  const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
  found.push([ratio, element.className || element.tagName, element.textContent.slice(0, 40)]);
}
return found.sort((a, b) => a[0] - b[0]);
"""


@pytest.mark.parametrize("path", PATHS)
def test_no_page_scrolls_sideways(browser: Chromium, base_url: str, path: str) -> None:
    browser.open(base_url + path)
    for width in (320, 360, 480, 820, 821, 1080, 1081, 1280):
        browser.size(width, 700)
        assert browser.run("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("path", ["/", "/yum/", "/k8simage/", "/-/search?q=kube&kind=rpm", "/many/", "/-/nothing/here"])
def test_all_text_can_be_read(browser: Chromium, base_url: str, path: str, *, dark: bool) -> None:
    browser.prefer(dark=dark)
    browser.open(base_url + path)
    contrasts: list[Any] = browser.run(CONTRASTS)
    assert len(contrasts) > 10
    assert [each for each in contrasts if each[0] < READABLE] == []


@pytest.mark.parametrize("dark", [False, True])
def test_results_can_be_read_while_typing(browser: Chromium, *, dark: bool) -> None:
    browser.prefer(dark=dark)
    browser.press("/", *"kube")
    browser.wait_for("return document.querySelectorAll('#suggestions li').length > 5")
    browser.press("ArrowDown")
    assert [each for each in browser.run(CONTRASTS) if each[0] < READABLE] == []


def test_results_fit_a_phone(browser: Chromium, base_url: str) -> None:
    browser.size(320, 600, phone=True)
    browser.open(f"{base_url}/")
    browser.press("/", *"kube")
    browser.wait_for("return document.querySelectorAll('#suggestions li').length > 5")
    right, bottom = browser.run(
        "const box = document.getElementById('suggestions').getBoundingClientRect(); return [box.right, box.bottom]"
    )
    assert right <= 320
    assert bottom <= 600


def test_copy_buttons_are_large_enough_for_a_finger(browser: Chromium, base_url: str) -> None:
    browser.size(320, 600, phone=True)
    browser.open(f"{base_url}/yum/")
    smallest = browser.run(
        "return Math.min(...[...document.querySelectorAll('button.copy')].flatMap((b) => "
        "[b.getBoundingClientRect().width, b.getBoundingClientRect().height]))"
    )
    assert smallest >= 24  # WCAG 2.2, 2.5.8


@pytest.mark.parametrize("path", ["/", "/yum/", "/-/search?q=kube"])
def test_screen_readers_find_their_way(browser: Chromium, base_url: str, path: str) -> None:
    browser.open(base_url + path)
    counted = browser.run(
        "const count = (s) => document.querySelectorAll(s).length;"
        "return ['h1', 'main', 'header', 'footer', '[role=search]', 'th[scope=col]'].map(count)"
    )
    assert counted[:5] == [1, 1, 1, 1, 1]
    assert counted[5] >= 5
    unnamed = browser.run(
        "return [...document.querySelectorAll('a, button, input:not([type=hidden])')].filter((e) => "
        "!(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length)).map((e) => e.outerHTML)"
    )
    assert unnamed == []
    nodes = browser.cdp("Accessibility.getFullAXTree")["nodes"]
    assert "table" in {node["role"]["value"] for node in nodes}


def test_table_stays_a_table_on_a_phone(browser: Chromium, base_url: str) -> None:
    browser.size(320, 600)
    browser.open(f"{base_url}/yum/")
    roles = {node["role"]["value"] for node in browser.cdp("Accessibility.getFullAXTree")["nodes"]}
    assert {"table", "row", "rowheader", "cell"} <= roles


def test_screenshots_can_be_taken(browser: Chromium, base_url: str, tmp_path: Path) -> None:
    for dark in (False, True):
        browser.prefer(dark=dark)
        browser.open(f"{base_url}/")
        browser.screenshot(tmp_path / f"dark-{dark}.png")
    light, dark_one = (tmp_path / f"dark-{dark}.png" for dark in (False, True))
    assert light.read_bytes().startswith(b"\x89PNG")
    assert light.read_bytes() != dark_one.read_bytes()
