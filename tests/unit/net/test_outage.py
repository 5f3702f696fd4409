"""A server that is away for a while: waited for by time, by all together, and only if it was ever there."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.model.progress import Unwatched
from bundler.net.outage import PATIENCE_S, Outage
from bundler.net.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable

ATTEMPTS = 5
REFUSED = SourceError(ErrorId.SOURCE_UNREACHABLE, "refused", where="master", remedy="Check.", retryable=True)


def status(number: int) -> SourceError:
    return SourceError(ErrorId.SOURCE_BUSY, f"{number}", where="master", remedy="Wait.", retryable=True, status=number)


@dataclass
class Site:
    """A server whose outage ends at a time; pauses move the clock, and nothing else does."""

    error: SourceError = field(default_factory=lambda: status(502))
    away_from_s: float = 0.0
    away_until_s: float = 0.0
    now_s: float = 0.0
    told: list[str] = field(default_factory=list)
    asked: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.outage = Outage(self.told.append, clock=lambda: self.now_s)

    def retry(self) -> Retry:
        return Retry(attempts=ATTEMPTS, sleep=self.sleep, jitter=lambda: 0.3, outage=self.outage)

    def sleep(self, pause_s: float) -> None:
        with self.lock:
            self.now_s += pause_s

    def ask(self) -> str:
        with self.lock:
            self.asked += 1
        if self.away_from_s <= self.now_s < self.away_until_s:
            raise self.error
        return "served"

    def fails(self, ask: Callable[[], object] | None = None) -> float:
        """Return how long a request was tried that failed in the end."""
        began_s = self.now_s
        with pytest.raises(SourceError):
            self.retry().run(ask or self.ask, Unwatched())
        return self.now_s - began_s


@pytest.mark.parametrize("error", [REFUSED, status(502), status(503), status(504)], ids=str)
@pytest.mark.parametrize("away_s", [2.0, 5.0, PATIENCE_S - 2])
def test_whoever_is_back_in_time_serves(error: SourceError, away_s: float) -> None:
    site = Site(error)
    site.retry().run(site.ask, Unwatched())
    site.away_until_s = away_s
    assert site.retry().run(site.ask, Unwatched()) == "served"
    assert site.now_s < away_s + 2
    assert len(site.told) <= 2


def test_whoever_stays_away_is_given_up_after_a_minute_for_all_who_ask() -> None:
    site = Site()
    site.outage.answered()
    site.away_until_s = 1e9
    assert PATIENCE_S <= site.fails() < PATIENCE_S + 2
    assert site.outage.is_over
    # the next one does not wait another minute, and it is told once
    assert site.fails() < PATIENCE_S / 10
    assert len([line for line in site.told if "waiting for it, 60 s at most" in line]) == 1


def test_whoever_was_never_there_is_not_waited_for() -> None:
    site = Site(away_until_s=1e9)
    assert site.fails() < PATIENCE_S / 10
    assert (site.asked, site.told) == (ATTEMPTS, [])


@pytest.mark.parametrize("error", [status(500), status(429), status(408)], ids=str)
def test_another_failure_is_counted_by_attempts(error: SourceError) -> None:
    site = Site(error, away_until_s=1e9)
    site.outage.answered()
    site.fails()
    assert site.asked == ATTEMPTS


def test_one_request_that_fails_for_ever_among_others_that_are_served_is_given_up_too() -> None:
    site = Site(away_until_s=1e9)

    def asked_beside_others() -> None:
        site.outage.answered()
        site.ask()

    assert PATIENCE_S <= site.fails(asked_beside_others) < PATIENCE_S + 2
    assert not site.outage.is_over


def test_the_end_of_a_wait_is_told() -> None:
    site = Site()
    site.outage.answered()
    site.away_until_s = 30.0
    site.retry().run(site.ask, Unwatched())
    assert site.told[-1] == "it answers again"


def test_a_refusal_is_an_answer() -> None:
    site = Site()
    site.outage.answered()
    site.outage.failed(status(502))
    site.now_s += PATIENCE_S
    site.outage.failed(SourceError(ErrorId.SOURCE_UNAUTHORIZED, "no", remedy="Log in.", status=401))
    site.outage.failed(SourceError(ErrorId.SOURCE_CUT, "cut", remedy="Again.", retryable=True))
    assert not site.outage.is_over
