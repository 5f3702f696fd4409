"""The page for every directory, for searches and for what went wrong. One object for a worker.

Owns the templates; what a bundle holds is read in its catalog, which lies in the packed site.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bundler.model.image.blob_paths import IMAGE_DIRECTORY
from mirror.page.assets import ASSETS
from mirror.page.catalog import GROUPS, Catalog
from mirror.page.compiled import TEMPLATES
from mirror.page.directory_page import directory_values
from mirror.page.found import found_row, scope, search
from mirror.page.frame import frame_values
from mirror.page.image_page import image_values
from mirror.page.links import SEARCH_URL, query
from mirror.page.pager import page_of
from mirror.page.problems import plain_problem, problem_values
from mirror.page.view import HTML, JSON, Rendered
from mirror.page.words import WORDS

if TYPE_CHECKING:
    from mirror.page.catalog import Item
    from mirror.page.view import View
    from mirror.tree.image_contents import ImageContents
    from mirror.tree.served import Directory
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site

RESULTS_PER_PAGE = 100
SUGGESTIONS = 20
SEARCH_SCHEMA = "mirror.search/1"
PLAIN = "text/plain; charset=utf-8"


class Pages:
    """Renders pages: the same site and view give the same bytes."""

    def directory(self, site: Site, directory: Directory, view: View) -> Rendered:
        """Return the page at a directory's URL, which has to end with a slash: its links are relative."""
        return self._render("directory.html", view, directory_values(site, directory, view, catalog_of))

    def image(self, site: Site, bundle: ServedBundle, item: Item, contents: ImageContents, view: View) -> Rendered:
        """Return the page at `/-/image/SHA256`."""
        return self._render("image.html", view, image_values(site, bundle, item, contents, view))

    def search(self, site: Site, view: View) -> Rendered:
        """Return the page at `/-/search`: what `view.asked` looks for, or all of one group of content."""
        words, asked = WORDS[view.language], view.asked
        bundles = scope(site, asked.bundle)
        hits = search(bundles, catalog_of, asked.search, asked.group)
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
        words, asked = WORDS[view.language], view.asked
        bundles = scope(site, asked.bundle)
        hits = search(bundles, catalog_of, asked.search, asked.group).hits if asked.search else ()
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


def image_in(bundle: ServedBundle, hexadecimal: str) -> Item | None:
    """Return the image of a bundle whose top document has this SHA-256, or None."""
    item = catalog_of(bundle).at(f"{IMAGE_DIRECTORY}/blobs/sha256/{hexadecimal}")
    return item if item is not None and item.group == "image" else None


def catalog_of(bundle: ServedBundle) -> Catalog:
    """Return what a bundle holds, as it lies in the packed site."""
    return Catalog(bundle.packed, bundle.number)
