"""A recording as one SVG that moves by CSS alone, so that it plays where pages show pictures.

All lines stand in one column. What is not there yet lies under a cover of the background's colour, which goes down line
by line; once the screen is full the column goes up. Whoever wants no motion gets the end of it. The same recording
gives the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from scripts.demo_recording.cast import PROMPT
from scripts.demo_recording.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripts.demo_recording.cast import Cast
    from scripts.demo_recording.timeline import ShownLine, Timeline

CELL_WIDTH, LINE_HEIGHT, MARGIN, BAR = 7.8, 18, 14, 30
_STYLE = """
    text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #e6edf3;
      white-space: pre }
    .frame { fill: #0d1117; stroke: #57606a } .cover { fill: #0d1117 } .title { fill: #9198a1 }
    .prompt { fill: #7ee787 } .typed { fill: #ffffff; font-weight: 600 }
    .moving { animation: LENGTHs steps(1, end) infinite }
    @media (prefers-reduced-motion: reduce) { .moving { animation: none !important } }
"""


def picture(cast: Cast) -> str:
    """Return the SVG."""
    shown = timeline(cast)
    width, height = round(cast.columns * CELL_WIDTH), cast.rows * LINE_HEIGHT
    outer_width, outer_height = width + 2 * MARGIN, height + BAR + MARGIN
    style = _STYLE.replace("LENGTH", f"{shown.length_s:.2f}")
    typed = [number for number, line in enumerate(shown.lines) if line.typed_s]
    keyframes = [_scrolling(shown, cast.rows), *(_typing(number, shown) for number in typed)]
    end = (cast.rows - max(len(shown.lines), cast.rows)) * LINE_HEIGHT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {outer_width} {outer_height}" role="img">',
            f"  <title>{escape(cast.title)}</title>",
            f"  <style>{style}{''.join(keyframes)}  </style>",
            f'  <rect class="frame" x="1" y="1" width="{outer_width - 2}" height="{outer_height - 2}" rx="8"/>',
            f'  <text class="title" x="{MARGIN}" y="{BAR - 10}">{escape(cast.title)}</text>',
            f'  <svg x="{MARGIN}" y="{BAR}" width="{width}" height="{height}">',
            f'    <g class="moving" style="animation-name: column" transform="translate(0 {end})">',
            *(_text(number, line) for number, line in enumerate(shown.lines) if line.text.strip()),
            *(_typing_cover(number, shown.lines[number]) for number in typed),
            "    </g>",
            f'    <rect class="cover moving" style="animation-name: cover" y="{height}" width="100%" height="100%"/>',
            "  </svg>",
            "</svg>",
            "",
        ]
    )


def _scrolling(shown: Timeline, rows: int) -> str:
    """Return how column and cover move; several lines of one moment are one step."""
    places = {line.at_s: number for number, line in enumerate(shown.lines, 1)}
    column = {at_s: rows - max(number, rows) for at_s, number in places.items()}
    cover = {at_s: min(number, rows) - rows for at_s, number in places.items()}
    return f"    @keyframes column {{ {_steps(column, shown)} }}\n    @keyframes cover {{ {_steps(cover, shown)} }}\n"


def _steps(lines_by_moment: Mapping[float, int], shown: Timeline) -> str:
    """Return a keyframe for each moment at which something moves."""
    steps, before = [], None
    for at_s, lines in lines_by_moment.items():
        if lines != before:
            steps.append(f"{_percent(at_s, shown)} {{ transform: translateY({lines * LINE_HEIGHT}px) }}")
        before = lines
    return " ".join(steps)


def _typing(number: int, shown: Timeline) -> str:
    """Return how the cover of a command goes to the right, key by key."""
    line = shown.lines[number]
    first, last = (_percent(moment, shown) for moment in line.typed_s or ())
    keys = f"animation-timing-function: steps({_keys(line)}, end)"
    there = f"transform: translateX({_keys(line) * CELL_WIDTH:.1f}px)"
    return f"    @keyframes typed{number} {{ 0%, {first} {{ transform: none; {keys} }} {last}, 100% {{ {there} }} }}\n"


def _typing_cover(number: int, line: ShownLine) -> str:
    start, width = len(PROMPT) * CELL_WIDTH, _keys(line) * CELL_WIDTH
    return (
        f'    <rect class="cover moving" style="animation-name: typed{number}" x="{start:.1f}" '
        f'y="{number * LINE_HEIGHT}" width="{width:.1f}" height="{LINE_HEIGHT}" transform="translate({width:.1f} 0)"/>'
    )


def _text(number: int, line: ShownLine) -> str:
    # a font of another width is spread to ours
    place = f'y="{number * LINE_HEIGHT + 13}" textLength="{len(line.text) * CELL_WIDTH:.1f}"'
    if line.typed_s is None:
        return f"    <text {place}>{escape(line.text)}</text>"
    command = escape(line.text.removeprefix(PROMPT))
    return f'    <text {place}><tspan class="prompt">{PROMPT}</tspan><tspan class="typed">{command}</tspan></text>'


def _keys(line: ShownLine) -> int:
    return len(line.text) - len(PROMPT)


def _percent(at_s: float, shown: Timeline) -> str:
    return f"{100 * at_s / shown.length_s:.2f}%"
