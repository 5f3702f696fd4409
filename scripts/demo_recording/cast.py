"""A recording of a terminal as asciinema keeps it: asciicast v2, a line of JSON for its head and for each event.

Every event here is one whole line of the screen; one that begins with the prompt was typed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

PROMPT = "$ "
# docs.asciinema.org/manual/asciicast/v2
VERSION, OUTPUT, LINE_END = 2, "o", "\r\n"


@dataclass(frozen=True, slots=True)
class TimedLine:
    """A line of the screen, without its end, and when it was there: seconds from the beginning."""

    at_s: float
    text: str

    @property
    def is_typed(self) -> bool:
        """Whether it is a command."""
        return self.text.startswith(PROMPT)


@dataclass(frozen=True, slots=True)
class Cast:
    """A recording.

    Arguments:
        columns, rows: of the terminal.
    """

    title: str
    columns: int
    rows: int
    lines: tuple[TimedLine, ...]

    def dump(self) -> str:
        """Return the file's text; milliseconds are enough."""
        head = {"version": VERSION, "width": self.columns, "height": self.rows, "title": self.title}
        events = ([round(line.at_s, 3), OUTPUT, line.text + LINE_END] for line in self.lines)
        return "".join(f"{json.dumps(value, ensure_ascii=False)}\n" for value in (head, *events))


def load_cast(text: str) -> Cast:
    """Read what `Cast.dump` has written."""
    head, *events = (json.loads(line) for line in text.splitlines())
    lines = tuple(TimedLine(at_s, shown.removesuffix(LINE_END)) for at_s, _, shown in events)
    return Cast(head["title"], head["width"], head["height"], lines)
