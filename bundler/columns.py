"""Texts in the columns of a terminal, where a Chinese character takes two: their width, padding and lines. Pure."""

from __future__ import annotations

import re
from functools import cache

# Chinese and its full-width punctuation: what may begin and end a line without a space beside it
_WIDE = "\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6"
_OPENS, _CLOSES = r"（「『《(\[", r"，。、；：！？）」』》)\],.;:"
# what stays together on a line: a wide character or a word, with the punctuation that may not stand apart from it
_PIECE = rf"\s+|[{_OPENS}]*(?:[{_WIDE}]|[^\s{_WIDE}]+)[{_CLOSES}]*"


@cache
def _piece() -> re.Pattern[str]:
    # compiling it takes milliseconds, and only paragraphs need it
    return re.compile(_PIECE)


def width(text: str) -> int:
    """Return how many columns a line takes (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(one) else 1 + (east_asian_width(one) in "WF") for one in text)


def is_wide(text: str) -> bool:
    """Tell whether a text has characters of two columns."""
    return width(text) > len(text)


def padded(text: str, columns: int) -> str:
    """Return a text with spaces behind it up to a width."""
    return text + " " * (columns - width(text))


def wrapped(text: str, columns: int) -> list[str]:
    """Return a paragraph in lines of at most some columns; what has no place to break is longer."""
    lines, line = [], ""
    for piece in _piece().findall(text):
        if width(line) + width(piece.rstrip()) > columns and line.strip():
            lines.append(line.rstrip())
            line = ""
        line += piece if line or piece.strip() else ""
    return [*lines, line.rstrip()] if line.strip() or not lines else lines
