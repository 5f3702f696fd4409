"""The packages of one image: its layers laid one upon the other. Pure.

Follows the image spec, layer.md, "Applying Changesets", for the few paths that tell of packages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.materials.databases import OS_RELEASE_PATHS
from bundler.materials.layer_reading import WHOLE, LayerContent
from bundler.materials.os_package import OsPackage, OsRelease

if TYPE_CHECKING:
    from collections.abc import Sequence

# what an image holds of a layer that nobody may hand on
MISSING_LAYER = LayerContent(unread={WHOLE: "is a foreign layer, which no bundle holds"})


@dataclass(frozen=True, slots=True)
class ImageContent:
    """What an image for one platform has.

    Arguments:
        packages: sorted, each once.
        release: the system's own words.
        unread: lines on what could not be read.
    """

    packages: tuple[OsPackage, ...]
    release: OsRelease
    unread: tuple[str, ...]


def image_content(layers: Sequence[LayerContent]) -> ImageContent:
    """Return what is seen of these layers, the lowest first."""
    seen: dict[str, tuple[OsPackage, ...] | OsRelease | str] = {}
    unread: list[str] = []
    for layer in layers:
        seen = {path: found for path, found in seen.items() if not _is_hidden(path, layer)}
        seen |= {**layer.packages, **layer.releases, **layer.unread}
        if reason := layer.unread.get(WHOLE):
            unread.append(f"a layer {reason}")
        seen.pop(WHOLE, None)
    unread += [f"{path} {reason}" for path, reason in seen.items() if isinstance(reason, str)]
    releases = [found for path in OS_RELEASE_PATHS if isinstance(found := seen.get(path), OsRelease)]
    return ImageContent(
        tuple(sorted({package for found in seen.values() if isinstance(found, tuple) for package in found})),
        releases[0] if releases else OsRelease(),
        tuple(sorted(set(unread))),
    )


def _is_hidden(path: str, layer: LayerContent) -> bool:
    parts = path.split("/")
    # "" first: a layer may take all away
    above = ["/".join(parts[:depth]) for depth in range(len(parts))]
    return path in layer.hidden or any(parent in layer.hidden or parent in layer.emptied for parent in above)
