"""Sizes as people read them. Pure."""

from __future__ import annotations


def human_bytes(count: float) -> str:
    """Return a size as a person reads it, in powers of 1024: 1.5 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
