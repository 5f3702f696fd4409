"""One mirror's page and one browser for all tests of a file; each test begins with nothing remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.page_server import PageServer
from tests.fakes.page_views import served
from tests.fakes.served_tree import kubeedge_files, listed, make_index
from tests.integration.page.chromium import Chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

# a name that is no localhost: browsers give pages of plain http fewer rights then
PLAIN_HOST = "mirror.test"
LONG_NAME = "a-name-of-a-file-that-is-as-long-as-file-systems-allow-" + "x" * 180


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """A mirror with two bundles, of which the current one has a fault; put `mirror serve` here to test that instead."""
    files = [*kubeedge_files(), *(listed(f"many/file-{number:03}", 1) for number in range(450))]
    files += [listed(f"odd/{LONG_NAME}", 1), listed("odd/a#b?c%41+d.txt", 1)]
    bundles = {
        "kubeedge-2025.03": make_index(files, name="kubernetes_kubeedge_allinone", release="2025.03"),
        "kubeedge-2024.11": make_index(kubeedge_files()[:20], name="kubernetes_kubeedge_allinone", release="2024.11"),
    }
    with served(tmp_path_factory.mktemp("root"), bundles, current="kubeedge-2025.03") as site:
        assert site.current is not None
        with PageServer(site, [f"{site.current.short_id}/yum/local.repo"]) as running:
            yield running


@pytest.fixture(scope="module")
def base_url(server: PageServer) -> str:
    """Where the page is, without a slash at the end."""
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser that runs as long as the file's tests."""
    flags = [f"--host-resolver-rules=MAP {PLAIN_HOST} 127.0.0.1"]
    with Chromium(tmp_path_factory.mktemp("chromium"), flags) as started:
        yield started


@pytest.fixture
def browser(window: Chromium, base_url: str) -> Iterator[Chromium]:
    """The browser at the start page; whatever a test does, it asks no other host and logs no error."""
    window.scripts(on=True)
    window.size(1280, 900)
    window.open(f"{base_url}/")
    window.run("localStorage.clear()")
    window.cdp("Network.clearBrowserCookies")
    window.open(f"{base_url}/")
    window.log("browser")
    window.requested_hosts()
    yield window
    port = base_url.rpartition(":")[2]
    assert window.requested_hosts() <= {f"127.0.0.1:{port}", f"{PLAIN_HOST}:{port}"}
    # the browser itself tells of every answer of 400 and more
    errors = [line for line in window.log("browser") if "status of 404" not in line["message"]]
    assert errors == []
