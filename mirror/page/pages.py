"""The page for every directory, for searches and for what went wrong. One object for a worker.

Owns the templates and the catalogs of the bundles; a catalog is made when it is first needed and kept while the site
has its bundle.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mirror.page.assets import ASSETS
from mirror.page.catalog import GROUPS, make_catalog
from mirror.page.compiled import TEMPLATES
from mirror.page.directory_page import directory_values
from mirror.page.found import found_row, scope, search
from mirror.page.frame import frame_values
from mirror.page.links import SEARCH_URL, query
from mirror.page.pager import page_of
from mirror.page.problems import plain_problem, problem_values
from mirror.page.view import HTML, JSON, Rendered
from mirror.page.words import WORDS

if TYPE_CHECKING:
    from mirror.page.catalog import Catalog
    from mirror.page.view import View
    from mirror.tree.served import Directory
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site

RESULTS_PER_PAGE = 100
SUGGESTIONS = 20
SEARCH_SCHEMA = "mirror.search/1"
PLAIN = "text/plain; charset=utf-8"


class Pages:
    """Renders pages: the same site and view give the same bytes."""

    def __init__(self) -> None:
        self._catalogs: dict[str, Catalog] = {}

    def prepare(self, site: Site) -> None:
        """Make the catalogs of all bundles now, so that no visitor waits; a thread of its own may do it."""
        for bundle in site.bundles:
            self._catalog(bundle)

    def directory(self, site: Site, directory: Directory, view: View) -> Rendered:
        """Return the page at a directory's URL, which has to end with a slash: its links are relative."""
        self._forget_others(site)
        return self._render("directory.html", view, directory_values(site, directory, view, self._catalog))

    def search(self, site: Site, view: View) -> Rendered:
        """Return the page at `/-/search`: what `view.asked` looks for, or all of one group of content."""
        self._forget_others(site)
        words, asked = WORDS[view.language], view.asked
        bundles = scope(site, asked.bundle)
        hits = search(bundles, self._catalog, asked.search, asked.group)
        values = {
            "q": asked.search,
            "kind": asked.group or "",
            "bundle": asked.bundle,
            "lang": view.language if view.carry_language else "",
        }
        page = page_of(hits.hits, asked.page, RESULTS_PER_PAGE, SEARCH_URL, values)
        groups = [(group, hits.counts.get(group, 0), SEARCH_URL + query({**values, "kind": group})) for group in GROUPS]
        return self._render(
            "search.html",
            view,
            {
                **frame_values(view, words, search_in=asked.bundle),
                "search": asked.search,
                "group": asked.group or "",
                "groups": [("all", sum(hits.counts.values()), SEARCH_URL + query({**values, "kind": ""})), *groups],
                "searched": [bundle.title for bundle in bundles],
                "page": page,
                "rows": [found_row(site, hit, words, several=len(bundles) > 1) for hit in page.things],
            },
        )

    def search_data(self, site: Site, view: View) -> Rendered:
        """Return the answer at `/-/search.json`, for the page's script: the first hits, and how many there are."""
        self._forget_others(site)
        words, asked = WORDS[view.language], view.asked
        bundles = scope(site, asked.bundle)
        hits = search(bundles, self._catalog, asked.search, asked.group).hits if asked.search else ()
        rows = [found_row(site, hit, words, several=len(bundles) > 1) for hit in hits[:SUGGESTIONS]]
        results = [{**row._asdict(), "kind": words(f"kind.{row.kind}"), "icon": row.kind} for row in rows]
        answer = {"schema": SEARCH_SCHEMA, "query": asked.search, "total": len(hits), "results": results}
        return Rendered.of(json.dumps(answer, ensure_ascii=False, separators=(",", ":")), JSON)

    def problem(self, status: int, view: View, *, path: str, site: Site | None = None, plain: bool = False) -> Rendered:
        """Return what a person reads in place of what was asked for, with what to do next.

        Arguments:
            status: of the answer, 400 to 599.
            path: of the URL, decoded as far as it can be; "" when the request could not be read.
            site: to find the closest directory that exists; a share asks the disk.
            plain: whether to answer with a few lines of text, for clients that do not ask for HTML.
        """
        if plain:
            return Rendered.of(plain_problem(status, view, path), PLAIN)
        return self._render("problem.html", view, problem_values(status, view, path, site))

    def asset(self, name: str) -> Rendered | None:
        """Return what lies at `/-/assets/NAME`, or None."""
        return ASSETS.get(name)

    def _render(self, template: str, view: View, values: dict[str, Any]) -> Rendered:
        words = WORDS[view.language]
        return Rendered.of(TEMPLATES[template].render(values, t=words), HTML)

    def _catalog(self, bundle: ServedBundle) -> Catalog:
        if (catalog := self._catalogs.get(bundle.id)) is None:
            catalog = self._catalogs[bundle.id] = make_catalog(bundle.index.files)
        return catalog

    def _forget_others(self, site: Site) -> None:
        """Drop the catalogs of bundles that reloads have removed; the next site's may be among them already."""
        if len(self._catalogs) > 2 * max(1, len(site.bundles)):
            kept = {bundle.id for bundle in site.bundles}
            for gone in [key for key in list(self._catalogs) if key not in kept]:
                del self._catalogs[gone]
