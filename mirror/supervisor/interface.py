"""What the supervisor needs from outside; `notify` has the real one, and the tests have their own."""

from __future__ import annotations

from typing import Protocol


class ServiceManager(Protocol):
    """Whoever started this process and wants to know how it is."""

    def notify(self, *assignments: str) -> None:
        """Send assignments such as `READY=1` (sd_notify(3)); raises nothing."""
