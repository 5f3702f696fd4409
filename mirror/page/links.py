"""URLs of the mirror's own, percent-encoded. Pure (RFC 3986, 3.3 and 3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirror.page.view import View
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site

# what a segment may hold as it is; a colon is not among them, for the first segment of a relative reference
_PLAIN_IN_SEGMENTS = "@+~=,"
SEARCH_URL = "/-/search"
SEARCH_JSON_URL = "/-/search.json"
COMPARE_URL = "/-/compare"
COMPARE_JSON_URL = "/-/compare.json"
IMAGE_URL = "/-/image/"


def segment_url(name: str, *, directory: bool = False) -> str:
    """Return the reference, relative to its directory, of a name in it; a directory's ends with a slash."""
    return quote(name, safe=_PLAIN_IN_SEGMENTS) + ("/" if directory else "")


def path_url(path: str) -> str:
    """Return the absolute reference of a decoded path without slashes at its ends, itself without one at its end."""
    return "/" + quote(path, safe=_PLAIN_IN_SEGMENTS + "/")


def directory_url(path: str) -> str:
    """Return the absolute reference of a directory; "" is the top."""
    return f"{path_url(path)}/" if path else "/"


def bundle_path(site: Site, bundle: ServedBundle) -> str:
    """Return the path of a bundle's top as links name it: "" for the current one, `@DIR` for the others."""
    return "" if bundle is site.current else bundle.address


def carried_language(view: View) -> dict[str, str]:
    """Return the language as links carry it on; nothing where a cookie does."""
    return {"lang": view.language} if view.carry_language else {}


def bundle_url(site: Site, bundle: ServedBundle, view: View) -> str:
    """Return the absolute reference of a bundle's top directory."""
    return directory_url(bundle_path(site, bundle)) + query(carried_language(view))


def below(top: str, path: str) -> str:
    """Join two paths of which either may be empty."""
    return f"{top}/{path}".strip("/")


def query(values: Mapping[str, str | int]) -> str:
    """Return `?a=b&c=d` of the values that are neither empty nor 0, or "" when there is none."""
    kept = {key: value for key, value in values.items() if value}
    return f"?{urlencode(kept)}" if kept else ""
