"""The values of a bill of materials, whatever form it is written down in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.model.digest import Blob

# as CycloneDX calls them
ComponentType = Literal["application", "library", "container", "file"]


@dataclass(frozen=True, slots=True)
class Component:
    """One thing that a bundle is made of: a path of it, or a package inside of an image.

    Arguments:
        ref: its name within the bill.
        path, blob: where it lies in the bundle, and its bytes; "" and None for a package inside of an image.
        purl: "" where no kind of package URL fits it.
        license_text, supplier, description: in its own words, "" for none.
        origin: where it came from, a URL as the bundle has it.
        held_to: what vouched for it.
        facts: what else is known of it, as names and values.
        parts: refs of what it is made of.
    """

    ref: str
    type: ComponentType
    name: str
    version: str = ""
    path: str = ""
    blob: Blob | None = None
    purl: str = ""
    license_text: str = ""
    supplier: str = ""
    description: str = ""
    origin: str = ""
    held_to: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BillOfMaterials:
    """A whole bill.

    Arguments:
        uuid: follows from the paths and digests that it describes.
        date: of the newest thing in the bundle, in seconds since the epoch.
        subject: the bundle.
        components: sorted by their refs, each once.
    """

    uuid: str
    date: int
    subject: Component
    components: tuple[Component, ...]

    @property
    def timestamp(self) -> str:
        """The date as RFC 3339 writes it."""
        return datetime.fromtimestamp(self.date, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def all(self) -> Iterator[Component]:
        """Yield the subject, then its components."""
        yield self.subject
        yield from self.components
