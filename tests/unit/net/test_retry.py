from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.net.retry import LONGEST_RETRY_AFTER_S, MAX_ATTEMPTS, WORTHWHILE_BYTES, Retry
from tests.fakes.progress import RecordingTask


def busy(retry_after_s: float | None = None, *, retryable: bool = True) -> SourceError:
    return SourceError(
        ErrorId.SOURCE_BUSY,
        "busy",
        where="https://dl.example/a",
        remedy="Wait.",
        retryable=retryable,
        retry_after_s=retry_after_s,
    )


@dataclass
class Flaky:
    """Fails with each of the errors in turn, then gives an answer; each failure brings some bytes."""

    errors: list[Exception]
    bytes_each: int = 0
    calls: int = 0
    held: int = 0
    slept_s: list[float] = field(default_factory=list)

    def __call__(self) -> str:
        self.calls += 1
        self.held += self.bytes_each
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    def retry(self, *, attempts: int = 5, jitter: float = 1.0) -> Retry:
        return Retry(attempts, base_s=0.5, cap_s=3.0, sleep=self.slept_s.append, jitter=lambda: jitter)


def test_backs_off_twice_as_long_each_time_up_to_the_cap() -> None:
    upstream = Flaky([busy(), busy(), busy(), busy()])
    assert upstream.retry().run(upstream, RecordingTask()) == "answer"
    assert upstream.slept_s == [0.5, 1.0, 2.0, 3.0]


def test_jitter_spreads_the_whole_pause() -> None:
    upstream = Flaky([busy(), busy()])
    upstream.retry(jitter=0.25).run(upstream, RecordingTask())
    assert upstream.slept_s == [0.125, 0.25]


def test_gives_up_after_so_many_attempts_with_the_last_error() -> None:
    last = busy()
    upstream = Flaky([busy(), busy(), last, busy()])
    with pytest.raises(SourceError) as raised:
        upstream.retry(attempts=3).run(upstream, RecordingTask())
    assert raised.value is last
    assert (upstream.calls, len(upstream.slept_s)) == (3, 2)


def test_every_pause_is_told() -> None:
    task, upstream = RecordingTask(), Flaky([busy()])
    upstream.retry().run(upstream, task)
    assert task.notes == ["https://dl.example/a: busy; trying again in 0.5 s (attempt 2 of 5)"]


@pytest.mark.parametrize(
    "error",
    [
        busy(retryable=False),
        IntegrityError(ErrorId.UPSTREAM_CHANGED, "changed", remedy="Look.", want="1", got="2"),
        RuntimeError("a bug"),
    ],
)
def test_what_does_not_pass_is_not_tried_again(error: Exception) -> None:
    upstream = Flaky([error])
    with pytest.raises(type(error)) as raised:
        upstream.retry().run(upstream, RecordingTask())
    assert raised.value is error
    assert upstream.calls == 1


def test_retry_after_is_honoured_up_to_a_limit() -> None:
    upstream = Flaky([busy(7.0), busy(LONGEST_RETRY_AFTER_S)])
    upstream.retry(jitter=0.0).run(upstream, RecordingTask())
    assert upstream.slept_s == [7.0, LONGEST_RETRY_AFTER_S]


@pytest.mark.parametrize(("seconds", "said"), [(121.0, "3 minutes"), (6 * 3600.0, "6 hours"), (25201.0, "8 hours")])
def test_an_upstream_that_asks_for_hours_is_told_so_and_given_up_at_once(seconds: float, said: str) -> None:
    upstream = Flaky([busy(seconds)])
    with pytest.raises(SourceError, match=f"it asks to be left alone for {said}"):
        upstream.retry().run(upstream, RecordingTask())
    assert (upstream.calls, upstream.slept_s) == (1, [])


def test_bytes_that_arrived_start_the_count_again() -> None:
    upstream = Flaky([busy() for _ in range(40)], bytes_each=WORTHWHILE_BYTES)
    answer = upstream.retry(attempts=2).run(upstream, RecordingTask(), position=lambda: upstream.held)
    assert (answer, upstream.calls) == ("answer", 41)


def test_a_trickle_does_not_start_the_count_again() -> None:
    upstream = Flaky([busy() for _ in range(40)], bytes_each=10)
    with pytest.raises(SourceError):
        upstream.retry(attempts=3).run(upstream, RecordingTask(), position=lambda: upstream.held)
    assert upstream.calls == 3


def test_bytes_that_are_fetched_again_and_again_do_not_start_the_count_again() -> None:
    # a server that ignores Range: every attempt begins at zero and is cut at the same place
    upstream = Flaky([busy() for _ in range(40)])
    positions = iter([0] + [5 * WORTHWHILE_BYTES] * 40)
    with pytest.raises(SourceError):
        upstream.retry(attempts=3).run(upstream, RecordingTask(), position=lambda: next(positions))
    assert upstream.calls == 3


def test_progress_is_bounded_too() -> None:
    upstream = Flaky([busy() for _ in range(2 * MAX_ATTEMPTS)], bytes_each=WORTHWHILE_BYTES)
    with pytest.raises(SourceError):
        upstream.retry().run(upstream, RecordingTask(), position=lambda: upstream.held)
    assert upstream.calls == MAX_ATTEMPTS


def test_at_least_one_attempt() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Retry(0)
