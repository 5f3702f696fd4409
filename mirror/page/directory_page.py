"""What the page of a directory says: of its bundle, of what lies in it, of how a machine gets at it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bundler.model.bundle import INDEX_PATH, SUMS_PATH, is_signature
from mirror.page.comparison_state import comparison_offer
from mirror.page.escaping import escape_unprintable
from mirror.page.found import image_anchor
from mirror.page.frame import frame_values
from mirror.page.image_page import image_url
from mirror.page.links import SEARCH_URL, below, directory_url, path_url, query
from mirror.page.listing import ROWS_PER_PAGE, PageRows, item_notes
from mirror.page.ordering import OrderedEntries, filter_words, ordered_images
from mirror.page.pager import page_of
from mirror.page.snippet_panels import tool_panels
from mirror.page.sort_order import sort_heads
from mirror.page.trust import trust_of
from mirror.page.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mirror.page.catalog import Catalog, ContentGroup
    from mirror.page.comparison_state import ComparisonOffer
    from mirror.page.trust import BundleTrust
    from mirror.page.view import View
    from mirror.page.words import Words
    from mirror.tree.served import Directory
    from mirror.tree.served_bundle import ServedBundle, Total
    from mirror.tree.site import Site

MAX_IMAGES = 200
_COUNTED: tuple[ContentGroup, ...] = ("rpm", "image", "file")


class Crumb(NamedTuple):
    """One step from the top to here; the last has no link."""

    name: str
    href: str


class BundleCard(NamedTuple):
    """A bundle as it is introduced.

    Arguments:
        href: its top directory.
        address: the one that it keeps when another becomes the current one.
        counts: (kind's key, how many, where they are listed).
    """

    bundle: ServedBundle
    href: str
    address: str
    current: bool
    trust: BundleTrust
    comparison: ComparisonOffer
    counts: tuple[tuple[str, int, str], ...]


def directory_values(
    site: Site, directory: Directory, view: View, catalog_of: Callable[[ServedBundle], Catalog]
) -> dict[str, Any]:
    """Return what `directory.html` needs."""
    words = WORDS[view.language]
    bundle = site.bundle(directory.bundle) if directory.bundle else None
    catalog = catalog_of(bundle) if bundle else None
    elsewhere = bundle is not None and bundle is not site.current
    frame = frame_values(view, words, search_in=directory.bundle if elsewhere else "")
    entries = OrderedEntries(directory, _directories(site, directory), catalog, _totals(bundle, directory))
    chosen = entries.chosen(view.asked.order, filter_words(view.asked.words))
    asked = {**frame["carried"], **view.asked.listing}
    page = page_of(chosen, view.asked.page, ROWS_PER_PAGE, "./", asked)
    rows = PageRows(site, directory, catalog, frozenset(view.faults), words, frame["suffix"])
    is_top = not directory.path
    return {
        **frame,
        "crumbs": _crumbs(directory.path, words, frame["suffix"]),
        "heading": escape_unprintable(directory.path.rpartition("/")[2]),
        "is_top": is_top,
        "is_bundle_top": bundle is not None and not directory.inner,
        "card": _card(site, bundle, view, catalog_of, words) if bundle else None,
        "cards": [_card(site, other, view, catalog_of, words) for other in _current_first(site)] if is_top else [],
        "left_out": len(site.problems) if is_top else 0,
        "shared": _is_shared(site, directory.path),
        "page": page,
        "rows": rows.make(page.things),
        "heads": sort_heads(view.asked.order),
        "can_be_ordered": entries.can_be_ordered,
        # the buttons of the form say how to sort
        "order_hidden": {key: value for key, value in asked.items() if key not in ("filter", "sort")},
        "sort": view.asked.listing.get("sort", ""),
        "filter": view.asked.words if entries.can_be_ordered else "",
        # a script can filter what is here without asking again
        "has_all": not page.links and not view.asked.words,
        "repository_urls": _repository_urls(directory, catalog, view),
        "own_files": _own_files(directory, bundle),
        **_images(site, directory, catalog, view, words),
        "panels": tool_panels(view.snippets, words) if is_top else [],
        "http_url": escape_unprintable(view.reach.http_url),
    }


def _directories(site: Site, directory: Directory) -> Sequence[str]:
    """Return the names of the directories, without the bundles, which have a section of their own."""
    bundles = {bundle.address for bundle in site.bundles} if not directory.path else set()
    if not bundles:
        return directory.directories
    return [name for name in directory.directories if name not in bundles]


def _totals(bundle: ServedBundle | None, directory: Directory) -> Callable[[str], Total | None]:
    """Return what gives the total of a directory in this one by its name."""
    return lambda name: None if bundle is None else bundle.total(below(directory.inner, name))


def _current_first(site: Site) -> list[ServedBundle]:
    return sorted(site.bundles, key=lambda bundle: bundle is not site.current)


def _crumbs(path: str, words: Words, suffix: str) -> list[Crumb]:
    segments = path.split("/") if path else []
    steps = [Crumb(words("home"), f"/{suffix}")]
    for depth, segment in enumerate(segments, start=1):
        steps.append(Crumb(escape_unprintable(segment), directory_url("/".join(segments[:depth])) + suffix))
    steps[-1] = steps[-1]._replace(href="")
    return steps


def _card(
    site: Site, bundle: ServedBundle, view: View, catalog_of: Callable[[ServedBundle], Catalog], words: Words
) -> BundleCard:
    current = bundle is site.current
    own = bundle.address if bundle.directory or len(site.bundles) > 1 else ""
    carried = {"lang": view.language} if view.carry_language else {}
    counts = catalog_of(bundle).counts
    in_bundle = {} if current else {"bundle": bundle.short_id}
    return BundleCard(
        bundle=bundle,
        href=directory_url("" if current else own) + query(carried),
        address=directory_url(own) + query(carried),
        current=current,
        trust=trust_of(bundle, view.faults, view.comparisons.get(bundle.number)),
        comparison=comparison_offer(bundle, view, words),
        counts=tuple(
            (
                words(f"group.{group}.{'one' if counts.get(group) == 1 else 'other'}"),
                counts.get(group, 0),
                SEARCH_URL + query({"kind": group, **in_bundle, **carried}),
            )
            for group in _COUNTED
        ),
    )


def _is_shared(site: Site, path: str) -> bool:
    return any(not share.path or path == share.path or path.startswith(f"{share.path}/") for share in site.shares)


def _repository_urls(directory: Directory, catalog: Catalog | None, view: View) -> tuple[str, ...]:
    """Return what a .repo file's `baseurl` would say of this directory, over each protocol; empty if it is none."""
    if catalog is None or directory.inner not in catalog.repositories:
        return ()
    tops = (view.reach.http_url, view.reach.ftp_url)
    return tuple(escape_unprintable(top) + directory_url(directory.path) for top in tops if top)


def _own_files(directory: Directory, bundle: ServedBundle | None) -> list[tuple[str, str]]:
    """Return names and links of what vouches for a bundle as a whole, on its top directory's page."""
    if bundle is None or directory.inner:
        return []
    signatures = filter(is_signature, bundle.names_from(SUMS_PATH))
    names = [name for name in (INDEX_PATH, SUMS_PATH, *signatures) if bundle.file_at(name) is not None]
    return [(name, path_url(below(directory.path, name))) for name in names]


def _images(site: Site, directory: Directory, catalog: Catalog | None, view: View, words: Words) -> dict[str, Any]:
    bundle = site.bundle(directory.bundle)
    if bundle is None or catalog is None or directory.inner not in catalog.layouts:
        return {"images": [], "more_images": ""}
    images = ordered_images(catalog.images_in(directory.inner), view.asked.image_order)
    carried = {"lang": view.language} if view.carry_language else {}
    asked = {**carried, **view.asked.listing}
    everything = SEARCH_URL + query({"kind": "image", "bundle": directory.bundle, **carried})
    return {
        "image_heads": sort_heads(view.asked.image_order, ("name", "size")),
        "image_order_hidden": {key: value for key, value in asked.items() if key != "imagesort"},
        "images": [
            (image_anchor(image), image, item_notes(image, words), image_url(site, bundle, image, carried))
            for image in images[:MAX_IMAGES]
        ],
        "more_images": everything if len(images) > MAX_IMAGES else "",
    }
