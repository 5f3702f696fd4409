"""Text as roff, by the macros of man(7): nothing in it is taken for a request, an escape or a typographic quote."""

from __future__ import annotations

import re
import textwrap

LINE_CHARACTERS = 78
_ESCAPES = {"\\": r"\e", "-": r"\-", "'": r"\(aq", '"': r"\(dq", "^": r"\(ha", "~": r"\(ti", "`": r"\(ga"}
_CODE = re.compile(r"`([^`]+)`")


def escaped(text: str) -> str:
    """Return a text that prints as it stands, on any device."""
    return "".join(_ESCAPES.get(mark, mark if mark.isascii() else f"\\[u{ord(mark):04X}]") for mark in text)


def bold(text: str) -> str:
    """Return a text in bold."""
    return rf"\fB{escaped(text)}\fP"


def running(text: str) -> str:
    """Return running text, `code` in bold, in lines that are not too long for a person who reads the source."""
    parts = _CODE.split(" ".join(text.split()))
    made = "".join(bold(part) if place % 2 else escaped(part) for place, part in enumerate(parts))
    lines = textwrap.wrap(made, LINE_CHARACTERS, break_long_words=False, break_on_hyphens=False)
    # at the begin of a line a dot makes a request
    return "\n".join(rf"\&{one}" if one.startswith(".") else one for one in lines)


def heading(text: str) -> str:
    """Return the request that begins a section."""
    return f".SH {escaped(text)}"


def title(name: str, date: str, source: str, manual: str) -> str:
    """Return the first request of a page; the date is YYYY-MM-DD, which readers take apart."""
    return f'.TH "{escaped(name)}" 1 {date} "{escaped(source)}" "{escaped(manual)}"'
