"""Progress as bars on a terminal: one for each item under way, and one for the total once that is known.

Owns what stands in them: a share, bytes in powers of 1024, a rate, the time left. Refuses to know whether there is a
terminal that can draw them. Implements `bundler.model.progress`.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from tqdm import tqdm

from bundler.model.size_text import human_bytes
from bundler.translation import marked, tr, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.model.progress import Task

# what stands beside a label: the share, some bar, `1023.9 MiB/1023.9 MiB, 1023.9 MiB/s, 00:12 left`
BESIDE_LABEL_CHARACTERS = 56
MIN_LABEL_CHARACTERS, MAX_LABEL_CHARACTERS = 10, 40
_OF_KNOWN_SIZE = marked("{desc}: {percentage:3.0f}%|{bar}| {done}/{whole}, {speed}, {remaining} left")
_OF_UNKNOWN_SIZE = marked("{desc}: {done}, {speed}, {elapsed} so far")


def fitted_label(label: str, columns: int) -> str:
    """Return a label as short as a terminal of so many columns wants it; its end stays, which tells it from others."""
    most = max(MIN_LABEL_CHARACTERS, min(columns - BESIDE_LABEL_CHARACTERS, MAX_LABEL_CHARACTERS))
    return label if len(label) <= most else f"…{label[1 - most :]}"


class _Bar(tqdm):  # type: ignore[type-arg] # not generic when it runs
    """A bar of bytes, in the words that the rest of the program has for them."""

    @property
    def format_dict(self) -> Any:
        known = super().format_dict
        moved, elapsed_s = known["n"] - known["initial"], known["elapsed"]
        rate = known["rate"] or (moved / elapsed_s if elapsed_s else 0)
        texts = {"done": human_bytes(known["n"]), "whole": human_bytes(known["total"] or 0)}
        shape = translated(_OF_KNOWN_SIZE if known["total"] else _OF_UNKNOWN_SIZE)
        return dict(known) | texts | {"speed": f"{human_bytes(rate)}/s", "bar_format": shape}


@dataclass(slots=True)
class _BarTask:
    bar: _Bar
    label: str
    bars: Bars
    apart: bool
    ended: bool = False

    def expect(self, total_bytes: int) -> None:
        self.bars.expect_of(self.bar, total_bytes)

    def advance(self, count: int) -> None:
        self.bars.advance(self.bar, count, apart=self.apart)

    def note(self, text: str) -> None:
        self.bars.note(f"{self.label}: {text}")

    def finish(self, outcome: str = "") -> None:
        if not self.ended:
            self.ended = True
            self.bar.close()
            if outcome:
                self.note(outcome)


@dataclass(slots=True)
class Bars:
    """Progress as bars.

    Arguments:
        terminal: where they are drawn.
        shown: makes a text safe for a terminal.
    """

    terminal: TextIO
    shown: Callable[[str], str]
    whole: _Bar | None = None
    items: list[_Bar] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, total_bytes: int, present_bytes: int = 0) -> None:
        """Begin the bar of the total, or make it longer."""
        with self.lock:
            if self.whole is None:
                self.whole = self._bar(tr("total"), total_bytes, leave=True, initial=present_bytes)
            else:
                self.whole.total = (self.whole.total or 0) + total_bytes
                self.whole.n += present_bytes
                self.whole.initial += present_bytes
                self.whole.refresh()

    def task(self, label: str, total_bytes: int | None, *, apart: bool = False) -> Task:
        """Begin an item's bar."""
        columns = os.get_terminal_size(self.terminal.fileno()).columns
        bar = self._bar(fitted_label(label, columns), total_bytes, leave=False)
        with self.lock:
            self.items = [item for item in self.items if not item.disable] + [bar]
        return _BarTask(bar, label, self, apart)

    def expect_of(self, bar: _Bar, total_bytes: int) -> None:
        """Make an item's bar longer."""
        with self.lock:
            bar.total = (bar.total or 0) + total_bytes
            bar.refresh()

    def advance(self, bar: _Bar, count: int, *, apart: bool) -> None:
        """Move an item's bar, and that of the total unless the item is apart from it."""
        with self.lock:
            for moved in (bar, None if apart else self.whole):
                if moved is None:
                    continue
                # a bar past its total shows neither a share nor the time left
                if moved.total is not None and moved.n + count > moved.total:
                    moved.total = moved.n + count
                moved.update(count)

    def note(self, text: str) -> None:
        """Tell it above the bars."""
        tqdm.write(self.shown(text), file=self.terminal)

    def close(self) -> None:
        """Remove the items' bars; that of the total stays."""
        with self.lock:
            for bar in (*self.items, self.whole):
                if bar is not None:
                    bar.close()

    def _bar(self, label: str, total_bytes: int | None, *, leave: bool, initial: int = 0) -> _Bar:
        return _Bar(
            total=total_bytes,
            desc=self.shown(label),
            leave=leave,
            initial=initial,
            file=self.terminal,
            dynamic_ncols=True,
        )
