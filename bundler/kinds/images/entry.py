"""An entry of `images:` as a value: one image, for which platforms, and what else it is called on the site."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundler.model.bundle_path import BundlePath
    from bundler.model.image.reference import Reference
    from bundler.model.json_value import Json
    from bundler.model.platform import Platform
    from bundler.model.source_text import Position


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """One wanted image.

    Arguments:
        id: the reference as written.
        reference: the reference in full, variables expanded.
        also_known_as: further names on the site, each with a tag and no digest.
        platforms: at least one.
    """

    id: str
    position: Position
    reference: Reference
    also_known_as: tuple[Reference, ...]
    platforms: tuple[Platform, ...]
    roles: tuple[str, ...]

    @property
    def key(self) -> str:
        """The reference in full."""
        return str(self.reference)

    def meaning(self) -> Json:
        """Return what is asked for."""
        return {
            "reference": str(self.reference),
            "as": [str(name) for name in self.also_known_as],
            "platforms": [str(platform) for platform in self.platforms],
            "roles": list(self.roles),
        }

    def targets(self) -> tuple[BundlePath, ...]:
        """Return nothing: images lay out a directory of their own."""
        return ()
