"""Numbers with what they count, for people. Pure."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """Return `1 step` or `2 steps`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"
