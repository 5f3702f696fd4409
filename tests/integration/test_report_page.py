"""The report in a real browser without a network: both languages, no script, nothing loaded, a phone, and paper."""

from __future__ import annotations

import base64
import re
import urllib.parse
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from bundler.report.page import report_pieces
from tests.fakes.transfer_reports import sample_report
from tests.integration.page.chromium import Chromium

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# one worker of a parallel run has the browser
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("browser")]
NO_NETWORK = ("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9")
A4_INCHES = (8.27, 11.69)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_bytes(b"".join(report_pieces(sample_report())))
    return f"file://{urllib.parse.quote(str(file))}"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with ExitStack() as stack:
        try:
            chromium = stack.enter_context(Chromium(tmp_path_factory.mktemp("profile"), NO_NETWORK))
        except FileNotFoundError as error:
            pytest.skip(f"{error.filename} is missing: apt-get install chromium chromium-driver")
        yield chromium


@pytest.fixture
def opened(browser: Chromium, url: str) -> Chromium:
    browser.requested_hosts()
    browser.scripts(on=False)
    browser.open(url)
    browser.size(1280, 900)
    return browser


def test_it_opens_without_a_network_and_asks_for_nothing(opened: Chromium) -> None:
    assert "2025.03" in opened.text("h1")
    assert opened.requested_hosts() == set()
    assert [line for line in opened.log("browser") if line["level"] == "SEVERE"] == []


def test_the_language_is_switched_without_a_script(opened: Chromium) -> None:
    assert opened.text("#changes h2") == "What changes"
    opened.click("label[for=zh]")
    assert opened.text("#changes h2") == "变更内容"
    assert opened.text("h3#downgraded") == "降级 1"
    opened.click("label[for=en]")
    assert opened.text("h3#downgraded") == "Downgraded 1"


def test_the_keyboard_switches_too(opened: Chromium) -> None:
    opened.press("Tab", "ArrowDown")
    assert opened.text("#changes h2") == "变更内容"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [320, 360, 700, 740, 1280])
def test_it_never_scrolls_sideways(opened: Chromium, language: str, width: int) -> None:
    opened.size(width, 800, phone=width < 500)
    opened.click(f"label[for={language}]")
    opened.scripts(on=True)
    assert opened.run("return document.documentElement.scrollWidth") <= width


def test_it_prints_on_paper(opened: Chromium, tmp_path: Path) -> None:
    width, height = A4_INCHES
    answer = opened.cdp("Page.printToPDF", paperWidth=width, paperHeight=height, preferCSSPageSize=True)
    pdf = base64.b64decode(answer["data"])
    (tmp_path / "report.pdf").write_bytes(pdf)
    assert pdf.startswith(b"%PDF-")
    pages = len(re.findall(rb"/Type /Page\b", pdf))
    assert 2 <= pages <= 8
