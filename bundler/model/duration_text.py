"""Durations as people read them. Pure."""

from __future__ import annotations

from bundler.translation import tr


def human_seconds(seconds: float) -> str:
    """Return a duration as a person reads it: 4.2 s, 2 min 5 s, 1 h 2 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    if whole < 3600:
        return tr("{whole} min {whole2} s", whole=whole // 60, whole2=whole % 60)
    return f"{whole // 3600} h {whole % 3600 // 60} min"
