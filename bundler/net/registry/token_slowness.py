"""Names a token service that lets one wait: a registry may send its clients to an address that leads nowhere.

Owns when that is told; refuses to end the wait (`transport` does).
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAMED_AFTER_S = 5.0


class TokenSlowness:
    """Safe for many threads; a service that has answered once is not watched any more.

    Arguments:
        announce: gets the line.
        after_s: how long a service may take, in seconds, before it is named.
    """

    def __init__(self, announce: Callable[[str], None] = lambda _: None, after_s: float = NAMED_AFTER_S) -> None:
        self._announce = announce
        self._after_s = after_s
        self._answered: set[str] = set()

    @contextmanager
    def watched(self, host: str, realm: str) -> Iterator[None]:
        """Tell of the token service `realm` of a registry when the block takes long.

        Arguments:
            host: the registry's name.
        """
        if realm in self._answered:
            yield
            return
        # perhaps it is no URL, which is for others to tell
        place = realm.partition("://")[2].partition("/")[0].rpartition("@")[2]
        line = tr(
            "{host} sends its clients to {place} for a token, from where nothing has come for {after_s:g} s",
            host=host,
            place=place,
            after_s=self._after_s,
        )
        timer = threading.Timer(self._after_s, self._announce, (line,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
        self._answered.add(realm)
