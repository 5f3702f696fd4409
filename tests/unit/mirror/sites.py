"""Sites made of nothing but an index, for what only looks at what is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.model.about import decode_about
from bundler.model.bundle import BundleIndex, IndexedFile
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from mirror.tree.served_bundle import ServedBundle
from mirror.tree.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING = Digest.sha256(b"")


def index_of(contents: Mapping[str, bytes], about: Mapping[str, Any] | None = None, name: str = "kit") -> BundleIndex:
    """Return the index of a bundle with these files; `about` by path, as bundle.json has it."""
    files = tuple(
        IndexedFile(BundlePath(path), Blob.of(data), 0o644, "files", about=decode_about((about or {}).get(path, {})))
        for path, data in sorted(contents.items())
    )
    return BundleIndex(name, "1", NOTHING, NOTHING, (), files)


def site_of(index: BundleIndex | None) -> Site:
    """Return a site whose current bundle has this index; none for None."""
    if index is None:
        return Site((), None)
    bundle = ServedBundle(NOTHING.hex, "", index, {}, {}, 0, (), None)
    return Site((bundle,), bundle)
