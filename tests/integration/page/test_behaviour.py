"""What the page does in a real browser: search, copy, language, colours, keys; and without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.page.conftest import PLAIN_HOST
from tests.unit.mirror.bundle_tree import file_at

if TYPE_CHECKING:
    from tests.fakes.page_server import PageServer
    from tests.integration.page.chromium import Chromium

# one worker of a parallel run has the browser
pytestmark = pytest.mark.xdist_group("browser")
BACKGROUND = "return getComputedStyle(document.body).backgroundColor"
LIGHT, DARK = "rgb(244, 246, 248)", "rgb(14, 19, 23)"
RESULTS = (
    "return [...document.querySelectorAll('#suggestions:not([hidden]) li .suggestion-title')].map(e => e.textContent)"
)
FOCUSED = """const e = document.activeElement;
return e.id || e.name || e.className.split(' ')[0] || e.getAttribute('href') || e.tagName"""


def clipboard(browser: Chromium, base_url: str) -> str:
    """Return what was copied; only a page on localhost may be asked."""
    permissions = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    browser.cdp("Browser.grantPermissions", permissions=permissions, origin=base_url)
    if not browser.url.startswith(base_url):
        browser.open(f"{base_url}/")
    return str(browser.run("return navigator.clipboard.readText()"))


def test_results_come_while_typing(browser: Chromium) -> None:
    browser.press("/", *"KUBEL")
    browser.wait_for(f"const found = (() => {{ {RESULTS} }})(); return found.length === 1")
    assert browser.run(RESULTS) == ["kubelet-1.22.1-0.x86_64"]
    assert "Container cluster management" in browser.text("#suggestions")
    browser.wait_for("return document.getElementById('said').textContent === '1 result'")
    browser.press("ArrowDown")
    link = browser.run("return document.activeElement.getAttribute('href')")
    assert link == "/yum/kubelet-1.22.1-0.x86_64.rpm"


def test_escape_closes_the_results_and_returns_to_the_field(browser: Chromium) -> None:
    browser.press("/", *"kube")
    browser.wait_for(f"const found = (() => {{ {RESULTS} }})(); return found.length > 5")
    browser.press("ArrowDown", "ArrowDown", "ArrowUp", "Escape")
    assert browser.run("return document.getElementById('suggestions').hidden") is True
    assert browser.run(FOCUSED) == "q"


def test_nothing_found_is_said(browser: Chromium) -> None:
    browser.press("/", *"zzzz")
    browser.wait_for("return document.getElementById('said').textContent === 'Nothing found'")


def test_enter_leads_to_the_search_page(browser: Chromium) -> None:
    browser.press("/", *"flannel", "Enter")
    browser.wait_for("return location.pathname === '/-/search'")
    assert "quay.io/coreos/flannel:v0.14.0" in browser.text("main")
    browser.click(".listing .name a")
    browser.wait_for("return location.pathname.startsWith('/-/image/')")
    assert browser.text("h1") == "quay.io/coreos/flannel:v0.14.0"


def test_search_below_another_bundle_stays_in_it(browser: Chromium, base_url: str) -> None:
    browser.open(f"{base_url}/@kubeedge-2024.11/")
    browser.press("/", *"kubelet")
    browser.wait_for("return document.querySelectorAll('#suggestions li').length === 1")
    assert browser.run("return document.querySelector('#suggestions li a').getAttribute('href')").startswith("/@kube")


def test_digest_is_copied_whole(browser: Chromium, base_url: str, server: PageServer) -> None:
    browser.open(f"{base_url}/kubeedge/")
    browser.click(".listing tbody tr:nth-child(4) .copy")
    browser.wait_for("return document.getElementById('said').textContent === 'Copied'")
    wanted = file_at(server.site, "kubeedge/keadm").digest
    assert wanted is not None
    assert clipboard(browser, base_url) == wanted.hex


def test_snippet_is_copied_with_its_lines_also_where_the_clipboard_is_closed(
    browser: Chromium, base_url: str, server: PageServer
) -> None:
    plain = f"http://{PLAIN_HOST}:{server.port}"
    browser.open(f"{plain}/")
    assert browser.run("return navigator.clipboard === undefined") is True
    browser.click(".snippet .copy")
    browser.wait_for("return document.getElementById('said').textContent === 'Copied'")
    assert browser.run("return document.activeElement.className").startswith("copy")
    copied = clipboard(browser, base_url)
    assert copied.splitlines()[:3] == ["[local]", "name=demo", f"baseurl={plain}/yum/"]


def test_language_is_switched_and_stays(browser: Chromium, base_url: str) -> None:
    browser.open(f"{base_url}/-/search?q=kubelet&kind=rpm")
    browser.click(".language button")
    browser.wait_for("return document.documentElement.lang === 'zh-CN'")
    assert "kubelet" in browser.text("main h1")
    assert browser.run("return new URLSearchParams(location.search).get('kind')") == "rpm"
    browser.open(f"{base_url}/yum/")
    assert "软件仓库" in browser.text("main")
    browser.click(".language button")
    browser.wait_for("return document.documentElement.lang === 'en'")
    browser.open(f"{base_url}/")
    assert "Connect a machine" in browser.text("main")


def test_colours_follow_the_system_until_chosen(browser: Chromium, base_url: str) -> None:
    assert browser.run(BACKGROUND) == LIGHT
    browser.prefer(dark=True)
    assert browser.run(BACKGROUND) == DARK
    browser.click(".theme")
    assert browser.run(BACKGROUND) == LIGHT
    browser.open(f"{base_url}/yum/")
    assert browser.run(BACKGROUND) == LIGHT
    assert browser.run("return localStorage.theme") == "light"
    browser.click(".theme")
    assert browser.run(BACKGROUND) == DARK
    assert browser.run("return localStorage.theme ?? ''") == ""


def test_colours_follow_the_system_without_scripts(browser: Chromium, base_url: str) -> None:
    browser.scripts(on=False)
    browser.prefer(dark=True)
    browser.open(f"{base_url}/")
    assert browser.run(BACKGROUND) == DARK


def test_page_works_without_scripts(browser: Chromium, base_url: str) -> None:
    browser.scripts(on=False)
    browser.open(f"{base_url}/")
    assert browser.run("return document.documentElement.className") == ""
    hidden = "return [...document.querySelectorAll('.scripted')].every(e => getComputedStyle(e).display === 'none')"
    assert browser.run(hidden) is True
    browser.click("#connect details:nth-of-type(2) summary")
    assert "insecure-registries" in browser.text("#connect")
    browser.click(".listing a[href='yum/']")
    browser.wait_for("return location.pathname === '/yum/'")
    browser.click("#q")
    browser.press(*"vsftpd", "Enter")
    browser.wait_for("return location.pathname === '/-/search'")
    assert "vsftpd-3.0.2-29.el7_9.x86_64" in browser.text("main")
    browser.click(".language button")
    browser.wait_for("return document.documentElement.lang === 'zh-CN'")


def test_tab_goes_through_the_page_in_its_order(browser: Chromium) -> None:
    stops = []
    for _ in range(9):
        browser.press("Tab")
        stops.append(browser.run(FOCUSED))
    assert stops[:5] == ["skip", "brand", "q", "BUTTON", "lang"]
    assert stops[5:7] == ["theme", "copy"]
    assert stops[7:9] == ["/-/search?kind=rpm", "/-/search?kind=image"]
    assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_skip_link_leads_to_the_content(browser: Chromium) -> None:
    browser.press("Tab", "Enter")
    assert browser.run(FOCUSED) == "main"
    browser.press("Tab")
    assert browser.run(FOCUSED) == "copy"


def test_policy_is_one_that_forbids(browser: Chromium) -> None:
    browser.run(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.broken = 1'}))"
    )
    assert browser.run("return window.broken === undefined") is True
    assert any("Content Security Policy" in line["message"] for line in browser.log("browser"))
