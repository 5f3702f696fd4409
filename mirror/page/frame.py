"""What stands around every page: language, search, style, where the links of the frame lead. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mirror.page.assets import asset_url
from mirror.page.escaping import escape_unprintable
from mirror.page.links import SEARCH_JSON_URL, SEARCH_URL, query

if TYPE_CHECKING:
    from mirror.page.view import View
    from mirror.page.words import Words


def frame_values(view: View, words: Words, *, search_in: str = "") -> dict[str, Any]:
    """Return what `base.html` needs.

    Arguments:
        search_in: short id of the bundle that the search box looks into, "" for the usual one.
    """
    carried = {"lang": view.language} if view.carry_language else {}
    asked = view.asked
    return {
        "language": view.language,
        "suffix": query(carried),
        "carried": carried,
        "styles": asset_url("page.css"),
        "theme_script": asset_url("theme.js"),
        "page_script": asset_url("page.js"),
        "icon": asset_url("icon.svg"),
        "host": escape_unprintable(view.reach.host),
        "search": asked.search,
        "search_url": SEARCH_URL,
        "search_json_url": SEARCH_JSON_URL,
        "search_hidden": {**({"bundle": search_in} if search_in else {}), **carried},
        # the switch of language keeps everything else that the address asks for
        "asked_hidden": {
            key: value
            for key, value in (
                ("q", asked.search),
                ("kind", asked.group),
                ("bundle", asked.bundle),
                ("page", asked.page if asked.page > 1 else ""),
            )
            if value
        }
        | asked.listing,
        "other_language": words("other-language"),
    }
