"""One budget of bytes per second for all workers and both protocols together: a token bucket in shared memory."""

from __future__ import annotations

import mmap
import time
from typing import TYPE_CHECKING

from mirror.shared.locked import ProcessLock

if TYPE_CHECKING:
    from collections.abc import Callable

# what may be sent at once after a pause, as a share of a second
_BURST_S = 0.25
# the least worth a system call
MIN_GRANT_BYTES = 1024
_NUMBER_BYTES = 8


class Bandwidth:
    """Grants bytes; `monotonic` is the same clock in all processes (CLOCK_MONOTONIC).

    Arguments:
        bytes_per_s: the cap for everything together; at least MIN_GRANT_BYTES.
    """

    def __init__(self, bytes_per_s: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = max(bytes_per_s, MIN_GRANT_BYTES)
        self._clock = clock
        self._lock = ProcessLock()
        # the budget left, and when that was true
        self._state = memoryview(mmap.mmap(-1, 2 * _NUMBER_BYTES)).cast("d")
        self._state[1] = clock()

    def take(self, wanted: int) -> tuple[int, float]:
        """Ask for leave to send.

        Returns how many bytes may be sent now (0, or at least MIN_GRANT_BYTES unless less was wanted), and for 0 the
        seconds to wait before asking again. Whoever wants nothing gets that at once.
        """
        if wanted <= 0:
            return 0, 0.0
        least = min(wanted, MIN_GRANT_BYTES)
        burst = max(self._rate * _BURST_S, MIN_GRANT_BYTES)
        with self._lock.held():
            now = self._clock()
            budget = min(burst, self._state[0] + (now - self._state[1]) * self._rate)
            granted = min(wanted, int(budget)) if budget >= least else 0
            self._state[0], self._state[1] = budget - granted, now
        return granted, 0.0 if granted else (least - budget) / self._rate

    def give_back(self, unused: int) -> None:
        """Return what was granted and could not be sent."""
        with self._lock.held():
            self._state[0] += unused
