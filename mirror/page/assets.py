"""Style sheet, scripts and icon: package data, each with a URL that changes when its bytes do."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from mirror.page.view import Rendered

if TYPE_CHECKING:
    from collections.abc import Mapping

ASSETS_URL = "/-/assets/"
# enough to tell two versions apart
_TAG_CHARACTERS = 12
_MEDIA_TYPES = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "theme.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def _read_all() -> Mapping[str, Rendered]:
    place = resources.files("mirror.page") / "assets"
    return {name: Rendered.of((place / name).read_bytes(), media) for name, media in _MEDIA_TYPES.items()}


# by name; read when it is imported, for workers that cannot read the installation
ASSETS = _read_all()


def asset_url(name: str) -> str:
    """Return the URL of an asset, its content's tag in the query: what is kept for ever under it is never outdated."""
    return f"{ASSETS_URL}{name}?v={ASSETS[name].etag[1 : 1 + _TAG_CHARACTERS]}"
