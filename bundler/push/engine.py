"""What loading and pushing need of a container engine. `docker.py` is the real one, `tests/fakes` has one in memory."""

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
        """Return the platforms of the images that it can run, the preferred one first."""

    def image_id(self, name: str) -> str | None:
        """Return its id, `sha256:HEX`, of the image with this name or id; None when it has none."""

    def load(self, archive: Iterable[bytes]) -> None:
        """Load a tar of one image, block by block; exceptions of the archive itself pass through.

        An archive that ends with an error leaves no image behind.
        """


@dataclass(frozen=True, slots=True)
class LayerStep:
    """The state of one layer that an engine pushes.

    Arguments:
        layer: the engine's short id of it.
        status: the engine's own text, such as `Pushing`, `Pushed`, `Layer already exists`, `Mounted from NAME`.
        done_bytes: bytes sent so far; may exceed `total_bytes`, which is 0 where the engine does not report it.
    """

    layer: str
    status: str
    done_bytes: int = 0
    total_bytes: int = 0


class PushingEngine(Engine, Protocol):
    """An engine that also sends its images to registries."""

    def distrust(self, name: str) -> str:
        """Have it look up an image in a registry, anonymously, and return its message if it distrusts the certificate.

        "" for any other result. Nothing is pulled.
        """

    def is_insecure(self, host: str) -> bool:
        """Tell whether it uses a registry without verified TLS; `host` as in the names that it is given."""

    def tag(self, image_id: str, repository: str, tag: str) -> None:
        """Add a name to an image, which any other image loses; `repository` begins with the registry's host."""

    def untag(self, name: str) -> None:
        """Remove a name; the image itself stays as long as it has another one."""

    def push(
        self, repository: str, tag: str, login: RegistryLogin | None, watch: Callable[[LayerStep], None]
    ) -> Digest | None:
        """Push an image; returns its digest in the registry, None where the engine does not report it.

        Arguments:
            login: the credentials; None for an anonymous push, whatever credentials the engine's client has.
            watch: called with every step.

        Raises SourceError when the registry refuses or cannot be reached by the engine.
        """
