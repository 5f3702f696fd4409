"""What loading and pushing need of a container engine. `docker.py` is the real one, tests/fakes has one in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bundler.model.digest import Digest
    from bundler.model.platform import Platform
    from bundler.net.registry.credentials import RegistryLogin


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


@dataclass(frozen=True, slots=True)
class LayerStep:
    """How far an engine is with one layer that a registry shall have.

    Arguments:
        layer: the engine's short name of it.
        status: the engine's own words, such as `Pushing`, `Pushed`, `Layer already exists`, `Mounted from NAME`.
        done_bytes: what was sent of it; may exceed `total_bytes`, which is 0 where the engine does not tell.
    """

    layer: str
    status: str
    done_bytes: int = 0
    total_bytes: int = 0


class PushingEngine(Engine, Protocol):
    """An engine that also sends its images to registries."""

    def distrust(self, name: str) -> str:
        """Have it ask a registry for an image, as nobody, and return what it says against the certificate it is shown.

        "" where it has nothing to say of that, whatever else came of it. Nothing is pulled.
        """

    def is_insecure(self, host: str) -> bool:
        """Tell whether it speaks to a registry without verified TLS; `host` as in the names that it is given."""

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Give an image a further name, which any other image loses; `repository` has the registry's host in front."""

    def untag(self, name: str) -> None:
        """Take a name away; the image itself stays as long as it has another one."""

    def push(
        self, repository: str, tag: str, login: RegistryLogin | None, watch: Callable[[LayerStep], None]
    ) -> Digest | None:
        """Send an image; returns what the registry calls it where the engine tells.

        Arguments:
            login: who pushes; None for nobody, whatever the engine's client knows.
            watch: called with every step.

        Raises SourceError when the registry refuses or cannot be reached by the engine.
        """
