"""Over HTTP too a wrong password costs time, and nobody else's."""

from __future__ import annotations

import asyncio
import time

from mirror.http.login_turns import LoginTurns
from mirror.shared.failed_logins import FIRST_DELAY_S, FREE_FAILURES, MAX_DELAY_S, FailedLogins


def test_who_has_failed_waits_while_others_have_their_turn() -> None:
    turns = LoginTurns(FailedLogins())
    for _ in range(FREE_FAILURES):
        turns.ended("192.0.2.1", right=False)
    order: list[str] = []

    async def log_in(address: str) -> None:
        assert await turns.turn(address) == 0
        order.append(address)
        turns.ended(address, right=True)

    async def main() -> None:
        await asyncio.gather(log_in("192.0.2.1"), log_in("192.0.2.2"))

    began_s = time.monotonic()
    asyncio.run(main())
    assert order == ["192.0.2.2", "192.0.2.1"]
    assert time.monotonic() - began_s >= FIRST_DELAY_S * 0.9


def test_who_would_wait_for_too_long_is_told_how_long() -> None:
    logins = FailedLogins()
    for _ in range(40):
        logins.failed("192.0.2.1")
    assert 0 < asyncio.run(LoginTurns(logins, longest_wait_s=1.0).turn("192.0.2.1")) <= MAX_DELAY_S
