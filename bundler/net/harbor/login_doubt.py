"""Is a Harbor's refusal of a login to be believed? Without its database it refuses correct passwords, too.

Seen with 2.5.0 and 2.12.4: token service and API answer 401 while PostgreSQL is away, and for some seconds after; the
health that it states is measured every ten seconds. Owns that judgement; refuses to wait.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.errors import SourceError
    from bundler.net.interface import Harbor

# how old its own statement may be, and how long it refuses correct passwords after its database is back
HEALTH_LAG_S = 12.0


class LoginDoubt:
    """Judges refusals of credentials that the registry has accepted before; safe for many threads.

    Arguments:
        harbor: of another registry the health is nothing, and its refusals are believed.
        clock: monotonic seconds.
    """

    def __init__(self, harbor: Harbor, clock: Callable[[], float] = time.monotonic) -> None:
        self._harbor = harbor
        self._clock = clock
        self._lock = threading.Lock()
        self._sick: tuple[str, float] | None = None
        self._first_s: float | None = None

    def why(self, error: SourceError) -> str:
        """Return why the refusal may pass, or "" when it is meant."""
        health, now_s = self._harbor.health(), self._clock()
        with self._lock:
            if health.unhealthy_components:
                self._sick = ", ".join(health.unhealthy_components), now_s
            if self._sick is not None and now_s - self._sick[1] < HEALTH_LAG_S:
                return sick_text(self._sick[0])
            # to whoever asks for a scope a healthy Harbor gives a token, which may open nothing; a refusal without any
            # word comes from its token service
            if health.healthy and not error.code:
                self._first_s = now_s if self._first_s is None else self._first_s
                if now_s - self._first_s < HEALTH_LAG_S:
                    return tr("it was accepted a moment ago")
        return ""


def sick_text(components: str) -> str:
    """Return what is said beside a refusal of credentials by a Harbor some of whose components are not healthy."""
    return tr(
        "Harbor says that it is not healthy ({components}), and then it refuses correct credentials as well",
        components=components,
    )
