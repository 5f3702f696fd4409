"""Style sheet, scripts, icon: served whole, under addresses that change with them, asking nobody else."""

from __future__ import annotations

import re

import pytest

from mirror.page.assets import ASSETS, asset_url
from mirror.page.pages import Pages


def test_address_names_the_content() -> None:
    rendered = Pages().asset("page.css")
    assert rendered is not None
    assert asset_url("page.css") == f"/-/assets/page.css?v={rendered.etag[1:13]}"
    assert rendered.media_type == "text/css; charset=utf-8"


@pytest.mark.parametrize("name", ["", "page", "../words/en.json", "page.css/", "PAGE.CSS", "__init__.py"])
def test_nothing_else_is_an_asset(name: str) -> None:
    assert Pages().asset(name) is None


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_asset_loads_nothing(name: str) -> None:
    text = ASSETS[name].body.decode().replace("http://www.w3.org/2000/svg", "")
    assert re.findall(r"https?:|//\w|@import|eval|innerHTML|insertAdjacentHTML|document\.write", text) == []
    assert all(url.startswith(('"data:image/svg', "data:image/svg")) for url in re.findall(r"url\(([^)]*)", text))
