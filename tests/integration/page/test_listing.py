"""A directory's list in a real browser: sorted by mouse and keys, filtered while typing, both without scripts too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.page.test_behaviour import FOCUSED

if TYPE_CHECKING:
    from tests.integration.page.chromium import Chromium

# one worker of a parallel run has the browser
pytestmark = pytest.mark.xdist_group("browser")
ROWS = """return [...document.querySelectorAll('.listing:not(.images) tbody tr:not(.up)')].filter(
  (row) => row.checkVisibility()).map((row) => row.querySelector('.name bdi').textContent)"""
SORTED = "return document.querySelector('.listing:not(.images) th[aria-sort]')?.textContent"


def test_a_click_on_a_head_sorts_and_another_one_turns_it(browser: Chromium, base_url: str) -> None:
    browser.open(f"{base_url}/yum/")
    assert browser.run(SORTED) == "Name"
    browser.click(".sort[value='-size']")
    browser.wait_for("return new URLSearchParams(location.search).get('sort') === '-size'")
    assert browser.run(SORTED) == "Size"
    largest = [name for name in browser.run(ROWS) if name.endswith(".rpm")]
    assert browser.run("return document.querySelector('th[aria-sort]').getAttribute('aria-sort')") == "descending"
    browser.click(".sort[value='size']")
    browser.wait_for("return new URLSearchParams(location.search).get('sort') === 'size'")
    assert [name for name in browser.run(ROWS) if name.endswith(".rpm")] == largest[::-1]


def test_keys_reach_the_heads_and_go_on_from_the_list(browser: Chromium, base_url: str) -> None:
    browser.open(f"{base_url}/kubeedge/")
    browser.run("document.querySelector(\".sort[value='-date']\").focus()")
    browser.press("Enter")
    browser.wait_for("return new URLSearchParams(location.search).get('sort') === '-date'")
    # the page does not begin anew for whoever uses keys
    browser.press("Tab")
    assert browser.run(FOCUSED) == "filter"
    nodes = browser.cdp("Accessibility.getFullAXTree")["nodes"]
    heads = [node for node in nodes if node["role"]["value"] == "columnheader"]
    assert len(heads) == 5


def test_typing_in_the_filter_leaves_what_matches(browser: Chromium, base_url: str) -> None:
    browser.open(f"{base_url}/yum/")
    everything = browser.run(ROWS)
    browser.click("#filter")
    browser.press(*"KUBE 1.22")
    assert browser.run(ROWS) == [
        "kubeadm-1.22.1-0.x86_64.rpm", "kubectl-1.22.1-0.x86_64.rpm", "kubelet-1.22.1-0.x86_64.rpm"
    ]  # fmt: skip
    browser.wait_for("return document.getElementById('said').textContent === '3 entries'")
    browser.run("const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('input'))")
    assert browser.run(ROWS) == everything


def test_where_the_directory_has_several_pages_the_mirror_filters_all_of_them(browser: Chromium, base_url: str) -> None:
    browser.open(f"{base_url}/many/?page=2")
    browser.click("#filter")
    browser.press(*"file-44", "Enter")
    browser.wait_for("return new URLSearchParams(location.search).get('filter') === 'file-44'")
    assert browser.run(ROWS) == [f"file-44{last}" for last in range(10)]


def test_both_work_without_scripts(browser: Chromium, base_url: str) -> None:
    browser.scripts(on=False)
    browser.open(f"{base_url}/yum/")
    browser.click("#filter")
    browser.press(*"kube", "Enter")
    browser.wait_for("return new URLSearchParams(location.search).get('filter') === 'kube'")
    browser.click(".sort[value='-name']")
    browser.wait_for("return new URLSearchParams(location.search).get('sort') === '-name'")
    assert browser.run(ROWS) == [
        "kubelet-1.22.1-0.x86_64.rpm", "kubectl-1.22.1-0.x86_64.rpm", "kubeadm-1.22.1-0.x86_64.rpm"
    ]  # fmt: skip


def test_images_are_sorted_and_lead_to_their_pages(browser: Chromium, base_url: str) -> None:
    browser.open(f"{base_url}/k8simage/")
    browser.click(".images .sort[value='-size']")
    browser.wait_for("return new URLSearchParams(location.search).get('imagesort') === '-size'")
    browser.click(".images tbody tr:nth-child(1) .name a")
    browser.wait_for("return location.pathname.startsWith('/-/image/')")
    assert browser.text("h1") == "docker.io/kubeedge/installation-package:v1.11.1"
    assert browser.run("return document.documentElement.scrollWidth") <= 1280


@pytest.mark.parametrize("width", [360, 821, 1280, 2560])
@pytest.mark.parametrize("path", ["/", "/yum/", "/k8simage/", "/-/search?q=kube", "/?lang=zh"])
def test_platforms_versions_and_options_stay_on_one_line(
    browser: Chromium, base_url: str, width: int, path: str
) -> None:
    browser.size(width, 900)
    browser.open(base_url + path)
    browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    broken = browser.run(
        "return [...document.querySelectorAll('.whole, .platforms code, .facts code, .sort')].filter("
        "(e) => e.getClientRects().length > 1).map((e) => e.textContent)"
    )
    assert broken == []
    wholes = browser.run("return [...document.querySelectorAll('.whole, .platforms code')].map((e) => e.textContent)")
    assert "linux/amd64" in wholes or path != "/k8simage/"
    assert "1.22.1-0.x86_64.rpm" in wholes or path != "/yum/"
    assert "--verify" in wholes or path.startswith(("/yum", "/k8s", "/-/"))
