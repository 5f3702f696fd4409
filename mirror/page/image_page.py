"""What the page of one image says: its names and how to pull it, its platforms, of which layers each is made. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bundler.model.image.blob_paths import IMAGE_DIRECTORY
from mirror.page.escaping import escape_unprintable
from mirror.page.frame import frame_values
from mirror.page.links import (
    IMAGE_URL,
    below,
    bundle_path,
    bundle_url,
    carried_language,
    directory_url,
    path_url,
    query,
)
from mirror.page.listing import item_notes
from mirror.page.snippet_panels import shown_snippet
from mirror.page.trust import trust_of
from mirror.page.words import WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirror.page.catalog import Item
    from mirror.page.view import View
    from mirror.tree.image_contents import ImageContents, PlatformContents
    from mirror.tree.served_bundle import ServedBundle
    from mirror.tree.site import Site

_ZSTD, _GZIP = ("+zstd", ".zstd"), ("+gzip", ".gzip")


class LayerRow(NamedTuple):
    """One layer for people; `href` is its blob's."""

    number: int
    size: int
    digest: str
    href: str
    compression: str


class PlatformSection(NamedTuple):
    """An image for one platform, with the rows of its layers."""

    contents: PlatformContents
    rows: tuple[LayerRow, ...]


def image_url(site: Site, bundle: ServedBundle, item: Item, carried: Mapping[str, str]) -> str:
    """Return the absolute reference of an image's page."""
    elsewhere = {} if bundle is site.current else {"bundle": bundle.short_id}
    return f"{IMAGE_URL}{item.digest}{query({**elsewhere, **carried})}"


def image_values(site: Site, bundle: ServedBundle, item: Item, contents: ImageContents, view: View) -> dict[str, Any]:
    """Return what `image.html` needs; the snippets of the view are what to type for this image."""
    words = WORDS[view.language]
    elsewhere = bundle.short_id if bundle is not site.current else ""
    top = bundle_path(site, bundle)
    suffix = query(carried_language(view))
    created_s = next((each.created_s for each in contents.platforms if each.created_s), 0)
    return {
        **frame_values(view, words, search_in=elsewhere),
        "item": item,
        "bundle": bundle,
        "bundle_href": bundle_url(site, bundle, view),
        "images_href": f"{directory_url(below(top, IMAGE_DIRECTORY))}{suffix}",
        "images_name": escape_unprintable(IMAGE_DIRECTORY),
        "trust": trust_of(bundle, view.faults, view.comparisons.get(bundle.number)),
        "notes": item_notes(item._replace(names=item.names[:1]), words),
        "created_s": created_s,
        "sections": [_section(each, top) for each in contents.platforms],
        "unread": contents.unread,
        "snippets": [shown_snippet(snippet) for snippet in view.snippets],
        "connect_href": f"/{suffix}#connect",
    }


def _section(contents: PlatformContents, top: str) -> PlatformSection:
    rows = (
        LayerRow(
            number=number,
            size=layer.size,
            digest=layer.digest,
            href=path_url(below(top, f"{IMAGE_DIRECTORY}/blobs/{layer.digest.replace(':', '/')}")),
            compression=_compression(layer.media_type),
        )
        for number, layer in enumerate(contents.layers, start=1)
    )
    return PlatformSection(contents, tuple(rows))


def _compression(media_type: str) -> str:
    """Return how a layer is compressed, "" for not (image spec 1.1, layer.md; Docker's types end in `.gzip`)."""
    if media_type.endswith(_ZSTD):
        return "zstd"
    return "gzip" if media_type.endswith(_GZIP) else ""
