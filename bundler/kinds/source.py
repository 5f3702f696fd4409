"""Where a download comes from and what the manifest holds it to: the part of an entry that several kinds have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.artifact import HeldTo

if TYPE_CHECKING:
    from bundler.model.digest import Digest
    from bundler.model.json_value import Json


@dataclass(frozen=True, slots=True)
class Source:
    """One download; every string expanded.

    Arguments:
        urls: the preferred one first; canonical or relative to the manifest.
        digest: what the manifest promises of the download.
        checksum_url: where its checksum is published, or "".
    """

    urls: tuple[str, ...]
    digest: Digest | None = None
    checksum_url: str = ""

    @property
    def held_to(self) -> HeldTo:
        """What has to vouch for the download, whatever mirror it comes through."""
        if self.digest is not None:
            return HeldTo("manifest")
        if self.checksum_url:
            return HeldTo("published-checksum", self.checksum_url)
        return HeldTo("first-use")

    def meaning(self) -> dict[str, Json]:
        """Return what is asked for."""
        return {
            "urls": list(self.urls),
            "digest": None if self.digest is None else str(self.digest),
            "checksum_url": self.checksum_url,
        }
