"""What loading needs of a container engine. `bundler.push.docker` is the real one, tests/fakes has one in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundler.model.platform import Platform


class Engine(Protocol):
    """A running engine. Every call raises SiteError, or StorageError when its disk is full."""

    @property
    def where(self) -> str:
        """Its address, for messages."""

    def platforms(self) -> tuple[Platform, ...]:
        """Return the platforms of the images that it can run, the best first."""

    def image_id(self, name: str) -> str | None:
        """Return what it calls the image with this name or id, `sha256:HEX`; None when it has none."""

    def load(self, archive: Iterable[bytes]) -> None:
        """Take in a tar of one image, block by block; what the archive itself raises passes through.

        An archive that ends with an error leaves no image behind.
        """
