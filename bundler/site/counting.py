"""Numbers with what they count, for people. Pure."""

from __future__ import annotations

from bundler.translation import tr_plural


def counted_steps(number: int) -> str:
    """Return `1 step` or `2 steps`."""
    return tr_plural("{count} step", "{count} steps", number)


def counted_changes(number: int) -> str:
    """Return `1 change` or `2 changes`."""
    return tr_plural("{count} change", "{count} changes", number)
