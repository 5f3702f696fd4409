"""What a run removed that killed ones had left, as a value. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from bundler.model.size_text import human_bytes
from bundler.translation import tr


@dataclass(frozen=True, slots=True)
class Removed:
    """Number and bytes of the removed files."""

    count: int = 0
    bytes: int = 0

    def __add__(self, other: Removed) -> Removed:
        """Return both together."""
        return Removed(self.count + other.count, self.bytes + other.bytes)

    @property
    def sentence(self) -> str:
        """The fact for a person; "" when there was nothing."""
        if not self.count:
            return ""
        return tr(
            "removed what interrupted runs had left: {count} files, {size}",
            count=self.count,
            size=human_bytes(self.bytes),
        )
