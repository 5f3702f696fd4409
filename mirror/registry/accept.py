"""The Accept field of whoever asks for a manifest (RFC 9110, 12.5.1), as far as registries heed it. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

_ANYTHING = frozenset({"*/*", "application/*"})


class Accepted(NamedTuple):
    """Which media types a client takes; of different weights only a weight of nothing counts."""

    everything: bool
    types: frozenset[str]

    def takes(self, media_type: str) -> bool:
        """Tell whether the client takes a document of this type."""
        return self.everything or media_type in self.types


@lru_cache(maxsize=64)
def accepted(field: str | None) -> Accepted:
    """Return what a field says; without one, or an empty one, everything is taken."""
    if field is None or not field.strip():
        return Accepted(everything=True, types=frozenset())
    types = {name for part in field.split(",") if (name := _wanted(part))}
    return Accepted(everything=bool(types & _ANYTHING), types=frozenset(types))


def _wanted(part: str) -> str:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    weights = [value for key, _, value in (parameter.partition("=") for parameter in parameters) if key == "q"]
    # "0", "0.", "0.000"
    refused = any(weight.startswith("0") and not weight.strip("0.") for weight in weights)
    return "" if refused else name
