"""Text from a bundle as it may be shown: nothing in it moves, hides or reverses what stands beside it. Pure."""

from __future__ import annotations

import unicodedata

MAX_SHOWN_CHARACTERS = 400
_KEPT_IN_BLOCKS = "\n\t"


def escape_unprintable(text: str, *, kept: str = "") -> str:
    """Return the text with every character that has no shape of its own written out, as `[U+202E]`.

    These are controls, the bidirectional overrides of UAX 9, zero-width characters, line and paragraph separators, and
    what Unicode has not assigned. Ordinary letters of any script stay.
    """
    if text.isprintable():
        return text
    return "".join(
        character
        if character.isprintable() or character in kept or _is_space(character)
        else f"[U+{ord(character):04X}]"
        for character in text
    )


def escape_unprintable_block(text: str) -> str:
    """Return text of several lines for a preformatted block."""
    return escape_unprintable(text, kept=_KEPT_IN_BLOCKS)


def shown(text: str) -> str:
    """Return the text as one line of bounded length."""
    return escape_unprintable(text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…")


def _is_space(character: str) -> bool:
    return unicodedata.category(character) == "Zs"
