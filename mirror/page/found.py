"""What a search has found, as rows: over one bundle, or over all of them where none is the current one. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from bundler.model.size_text import human_bytes
from mirror.page.image_page import image_url
from mirror.page.links import below, bundle_path, path_url
from mirror.page.listing import file_kind, item_notes
from mirror.tree.lazy import Lazy, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mirror.page.catalog import Catalog, ContentGroup, Item
    from mirror.page.words import Words
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site


class Hit(NamedTuple):
    """An item and the bundle that has it."""

    bundle: ServedBundle
    item: Item


class Hits(NamedTuple):
    """All that was found: `counts` by group, `hits` of the chosen group."""

    hits: Sequence[Hit]
    counts: Mapping[ContentGroup, int]


class FoundRow(NamedTuple):
    """One hit for people; `href` is absolute, `bundle` is "" when one bundle alone was searched."""

    title: str
    href: str
    kind: str
    size: str
    digest: str
    notes: tuple[str, ...]
    platforms: tuple[str, ...]
    bundle: str


def scope(site: Site, short_id: str) -> tuple[ServedBundle, ...]:
    """Return the bundles to search: the named one, else the current one, else all."""
    named = site.bundle(short_id) if short_id else None
    if (chosen := named or site.current) is not None:
        return (chosen,)
    return site.bundles


def search(
    bundles: Sequence[ServedBundle], catalog: Callable[[ServedBundle], Catalog], text: str, group: ContentGroup | None
) -> Hits:
    """Search some bundles, one after the other.

    Arguments:
        catalog: gives a bundle's catalog.
        text: what was typed; "" finds everything.
        group: which group alone is wanted, None for all.
    """
    found = [(bundle, catalog(bundle).find(text, group)) for bundle in bundles]
    counts: Counter[ContentGroup] = Counter()
    for _, each in found:
        counts.update(each.counts)
    return Hits(joined([_hits(bundle, each.items) for bundle, each in found]), counts)


def _hits(bundle: ServedBundle, items: Sequence[Item]) -> Sequence[Hit]:
    return Lazy(range(len(items)), lambda place: Hit(bundle, items[place]))


def found_row(site: Site, hit: Hit, words: Words, *, several: bool) -> FoundRow:
    """Return what a hit looks like: a link to the file, for an image to its page."""
    item, top = hit.item, bundle_path(site, hit.bundle)
    href = path_url(below(top, item.path))
    if item.group == "image":
        href = image_url(site, hit.bundle, item, {})
    return FoundRow(
        title=item.title,
        href=href,
        kind=file_kind(item.path, item),
        size=human_bytes(item.size),
        digest=item.digest,
        notes=item_notes(item, words),
        platforms=item.platforms,
        bundle=hit.bundle.title if several else "",
    )


def image_anchor(item: Item) -> str:
    """Return the id of an image's row on its layout's page."""
    return f"image-{item.digest[:16]}"
