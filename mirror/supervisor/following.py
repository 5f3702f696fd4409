"""When what lies below the root is to be read anew: it is another thing now, or the last reading came to nothing.

Owns when to look, what has changed and was not served yet, and that a failure is told once. Reads no bundle (ADR 10).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bundler.translation import tr
from mirror.tree.root_watch import RootWatch
from mirror.tree.roots import is_replaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.archive.bundle_root import BundleRoot

# how often the root is looked at
FOLLOW_S = 1.0
# a reading that failed is repeated after a pause that doubles every time: a host may lack memory for a moment only
FIRST_PAUSE_S, MAX_PAUSE_S = 2.0, 300.0


class Following:
    """The root of one mirror, as its supervisor follows it.

    Arguments:
        watches: False for a root that is served as it is, which holds no bundles that could change.
        warn: tells the operator a line.
        first_pause_s: before a reading that failed is repeated for the first time.
    """

    def __init__(
        self, root: BundleRoot, *, watches: bool, warn: Callable[[str], None], first_pause_s: float = FIRST_PAUSE_S
    ) -> None:
        self._root = root
        self._watch = RootWatch(root) if watches else None
        self._warn = warn
        self._first_pause_s = first_pause_s
        self._look_at_s = self._repeat_at_s = self._pause_s = 0.0
        self._is_replaced = False
        # how many changes were noticed, and up to which of them the root was read, handed out, served
        self._noticed = self._read = self._handed_out = self._served = 0
        self._last_reason = ""

    def until_look_s(self) -> float | None:
        """Return the seconds until it is to be looked at, None for never."""
        return None if self._watch is None else max(0.0, self._look_at_s - time.monotonic())

    def is_due(self) -> bool:
        """Look at the root, when it is time to; tell whether it is to be read."""
        now_s = time.monotonic()
        if self._watch is None or now_s < self._look_at_s:
            return False
        self._look_at_s = now_s + FOLLOW_S
        self._look_at_name(again=False)
        if self._watch.changed():
            self._note_change()
            return True
        return self._is_behind and now_s >= self._repeat_at_s

    def asked(self) -> None:
        """Take note that an operator asks for it to be read: what is wrong is told, also if it was told before."""
        self._last_reason = ""
        self._look_at_name(again=True)

    def begin(self) -> None:
        """Take note that it is read from here on; what changes meanwhile is noticed afterwards."""
        if self._watch is not None and self._watch.changed():
            self._note_change()
        self._read = self._noticed

    def handed_out(self) -> None:
        """Take note that the workers get what was read last."""
        self._handed_out = self._read

    def served(self) -> None:
        """Take note that they serve what they got last."""
        self._served = self._handed_out
        if not self._is_behind:
            self._pause_s, self._last_reason = 0.0, ""

    def failed(self, why: str) -> bool:
        """Take note that it could not be read, or taken over; tell whether that is news.

        What had changed is read again after a while, also where nothing changes any more.
        """
        if self._is_behind:
            self._pause_s = min(MAX_PAUSE_S, max(self._first_pause_s, self._pause_s * 2))
            self._repeat_at_s = time.monotonic() + self._pause_s
        is_news, self._last_reason = why != self._last_reason, why
        return is_news

    def _look_at_name(self, *, again: bool) -> None:
        """Warn when the root's name leads to another directory; a second time only if `again`."""
        was_replaced, self._is_replaced = self._is_replaced, is_replaced(self._root)
        if self._is_replaced and (again or not was_replaced):
            self._warn(
                tr(
                    "{path} is not the directory any more that is served: restart the mirror to serve the new one",
                    path=self._root.path,
                )
            )

    @property
    def _is_behind(self) -> bool:
        return self._served < self._noticed

    def _note_change(self) -> None:
        self._noticed += 1
        self._pause_s, self._last_reason = 0.0, ""
