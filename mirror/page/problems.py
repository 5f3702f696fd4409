"""The page for what cannot be served: what happened, and what to do next. Pure."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mirror.page.escaping import shown
from mirror.page.frame import frame_values
from mirror.page.links import SEARCH_URL, directory_url, query
from mirror.page.words import WORDS
from mirror.tree.served import Directory

if TYPE_CHECKING:
    from mirror.page.view import View
    from mirror.tree.site import Site

EXPLAINED = (400, 401, 403, 404, 405, 414, 416, 503)
# what a request can make us look up
MAX_DEPTH = 32


def _key(status: int) -> str:
    if status in EXPLAINED:
        return f"problem.{status}"
    return "problem.server" if status >= 500 else "problem.client"


def _nearest_directory(site: Site, path: str) -> str:
    """Return the path of the closest directory above that exists, "" being the top."""
    parents = path.strip("/").split("/")[:-1][:MAX_DEPTH]
    for depth in range(len(parents), 0, -1):
        candidate = "/".join(parents[:depth])
        # a share asks the disk, and what it cannot say is no reason to fail twice
        with suppress(OSError):
            if isinstance(site.find(candidate), Directory):
                return candidate
    return ""


def problem_values(status: int, view: View, path: str, site: Site | None) -> dict[str, Any]:
    """Return what `problem.html` needs."""
    words, key = WORDS[view.language], _key(status)
    name = path.strip("/").rpartition("/")[2]
    parent = _nearest_directory(site, path) if site and status == 404 else ""
    # a path that was not found may still name what its reader wants, and a directory that exists
    looked_for = shown(name) if status == 404 else ""
    return {
        **frame_values(view, words),
        "status": status,
        "title": words(f"{key}.title"),
        "text": words(f"{key}.text"),
        "next": words(f"{key}.next"),
        "path": shown(path),
        "search_for": looked_for,
        "search_href": SEARCH_URL + query({"q": name, **({"lang": view.language} if view.carry_language else {})}),
        "parent_href": directory_url(parent) if parent else "",
        "parent": f"/{shown(parent)}/",
    }


def plain_problem(status: int, view: View, path: str) -> str:
    """Return the same as three lines, for programs and for whoever reads their logs."""
    words, key = WORDS[view.language], _key(status)
    where = f": {shown(path)}" if path else ""
    return f"{status} {words(f'{key}.title')}{where}\n{words(f'{key}.text')}\n{words(f'{key}.next')}\n"
