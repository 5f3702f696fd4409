"""Horizontal bars as SVG, for pages in a light and in a dark colour scheme. The same groups give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, LABEL_WIDTH, VALUE_WIDTH = 760, 330, 90
BAR, GAP, HEADING, MARGIN = 16, 4, 26, 12
_STYLE = """
    :root { --paper: #ffffff; --ink: #1f2328; --peer: #b6bec8; --ours: #0b6bcb }
    @media (prefers-color-scheme: dark) {
      :root { --paper: #0d1117; --ink: #e6edf3; --peer: #57606a; --ours: #58a6ff }
    }
    text { font: 12px system-ui, sans-serif; fill: var(--ink) }
    .heading { font-weight: 600 }
    .paper { fill: var(--paper) } .peer { fill: var(--peer) } .ours { fill: var(--ours) }
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One program's value; `ours` has another colour."""

    name: str
    value: float
    ours: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Bars that are compared with each other alone: the longest of each group has the whole width."""

    heading: str
    bars: Sequence[Bar]


def chart(title: str, unit: str, groups: Sequence[Group]) -> str:
    """Return the picture.

    Arguments:
        title: says what is shown and which way is better, also to who cannot see it.
        unit: written behind each value.
    """
    lines: list[str] = []
    top = MARGIN + HEADING
    for group in groups:
        lines.append(f'  <text class="heading" x="{MARGIN}" y="{top + BAR - 3}">{escape(group.heading)}</text>')
        top += HEADING
        longest = max(bar.value for bar in group.bars)
        for bar in group.bars:
            lines += _bar(bar, bar.value / longest if longest else 0, unit, top)
            top += BAR + GAP
        top += GAP
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + MARGIN}" role="img">',
        f"  <title>{escape(title)}</title>",
        f"  <style>{_STYLE}  </style>",
        '  <rect class="paper" width="100%" height="100%"/>',
        f'  <text class="heading" x="{MARGIN}" y="{MARGIN + BAR - 3}">{escape(title)}</text>',
    ]
    return "\n".join([*head, *lines, "</svg>", ""])


def _bar(bar: Bar, share: float, unit: str, top: int) -> list[str]:
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH - 2 * MARGIN
    width = max(1.0, share * room)
    base = top + BAR - 4
    whose, place = "ours" if bar.ours else "peer", f'x="{LABEL_WIDTH + 8}" y="{top}"'
    return [
        f'  <text x="{LABEL_WIDTH}" y="{base}" text-anchor="end">{escape(bar.name)}</text>',
        f'  <rect class="{whose}" {place} width="{width:.1f}" height="{BAR}" rx="2"/>',
        f'  <text x="{LABEL_WIDTH + 16 + width:.1f}" y="{base}">{bar.value:g} {escape(unit)}</text>',
    ]
