"""When each line of a recording is shown: as it was, but that nobody waits long and commands are typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scripts.demo_recording.cast import PROMPT

if TYPE_CHECKING:
    from scripts.demo_recording.cast import Cast

KEY_S = 0.03
# before a command is typed, which leaves the time to read what the last one said; and before it is run
READ_S, ENTER_S = 1.4, 0.3
LONGEST_WAIT_S = 0.8
END_S = 5.0


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line as it is shown, no longer than the screen is wide.

    Arguments:
        at_s: when it appears; of a command the prompt alone.
        typed_s: when its first and its last key are pressed; None for what is printed.
    """

    text: str
    at_s: float
    typed_s: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """All lines in their order, and after how many seconds it begins anew."""

    lines: tuple[ShownLine, ...]
    length_s: float


def timeline(cast: Cast) -> Timeline:
    """Return when a recording's lines are shown."""
    shown: list[ShownLine] = []
    clock_s = before_s = 0.0
    for line in cast.lines:
        if line.is_typed:
            begins_s = clock_s + (READ_S if shown else ENTER_S)
            ends_s = begins_s + KEY_S * (len(line.text) - len(PROMPT))
            shown.append(ShownLine(line.text, clock_s, (begins_s, ends_s)))
            clock_s = ends_s + ENTER_S
        else:
            clock_s += min(line.at_s - before_s, LONGEST_WAIT_S)
            pieces = range(0, max(len(line.text), 1), cast.columns)
            shown += [ShownLine(line.text[start : start + cast.columns], clock_s) for start in pieces]
        before_s = line.at_s
    return Timeline(tuple(shown), clock_s + END_S)
