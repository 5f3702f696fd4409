"""Whose password is looked at when: who has failed too often waits for a turn, and holds up nobody else meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mirror.shared.failed_logins import FailedLogins

# for all turns together; whoever would have to wait longer is asked to come again
LONGEST_WAIT_S = 10.0


class LoginTurns:
    """The turns of one worker's clients.

    Arguments:
        logins: the table of all workers.
        longest_wait_s: for all turns of one request together.
    """

    def __init__(self, logins: FailedLogins, *, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self._logins = logins
        self._longest_wait_s = longest_wait_s

    async def turn(self, address: str) -> float:
        """Wait until an address's password may be looked at; return 0, or the seconds that would be too many to wait.

        Nothing but this request waits; `ended` has to follow a 0.
        """
        left_s = self._longest_wait_s
        while wait_s := self._logins.wait_s(address):
            if wait_s > left_s:
                return wait_s
            left_s -= wait_s
            await asyncio.sleep(wait_s)
        return 0.0

    def ended(self, address: str, *, right: bool) -> None:
        """Take note of what a password was that was looked at."""
        if right:
            self._logins.succeeded(address)
        else:
            self._logins.failed(address)
