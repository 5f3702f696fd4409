"""Sites made of nothing but an index, for what only looks at what is listed: packed and mapped, nothing on the disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bundler.archive.bundle_root import BundleRoot
from bundler.model.about import decode_about
from bundler.model.bundle import BundleIndex, IndexedFile
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from mirror.client.offer import offer_in
from mirror.http.site_parts import site_parts
from mirror.tree.bundle_loading import LoadedBundle
from mirror.tree.site_loading import open_site
from mirror.tree.site_packing import SitePacking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirror.client.offer import Offer
    from mirror.tree.site import Site

NOTHING = Digest.sha256(b"")


def index_of(contents: Mapping[str, bytes], about: Mapping[str, Any] | None = None, name: str = "kit") -> BundleIndex:
    """Return the index of a bundle with these files; `about` by path, as bundle.json has it."""
    files = tuple(
        IndexedFile(BundlePath(path), Blob.of(data), 0o644, "files", about=decode_about((about or {}).get(path, {})))
        for path, data in sorted(contents.items())
    )
    return BundleIndex(name, "1", NOTHING, NOTHING, (), files)


def loaded(index: BundleIndex, directory: str = "", bundle_id: str = NOTHING.hex) -> LoadedBundle:
    """Return a bundle of which nothing was looked for: no file of it can be served, and none is a fault."""
    directories = {parent for file in index.files for parent in file.path.parents}
    return LoadedBundle(bundle_id, directory, index, {file.path: file for file in index.files}, directories, {}, {})


def packed_site(*bundles: LoadedBundle, current: str | None = None) -> Site:
    """Return a site of bundles, `current` being the directory of the one that is also at `/`."""
    packing = SitePacking(site_parts())
    for bundle in bundles:
        packing.add(bundle)
    descriptor = packing.finish(current, ())
    try:
        return open_site(descriptor, BundleRoot(-1, Path("/opt")), ())
    finally:
        os.close(descriptor)


def offer_from(index: BundleIndex) -> Offer:
    """Return what the bundle of an index has for clients, packed and read again."""
    offer = offer_in(site_of(index))
    assert offer is not None
    return offer


def site_of(index: BundleIndex | None) -> Site:
    """Return a site whose current bundle has this index; none for None."""
    return packed_site() if index is None else packed_site(loaded(index), current="")
