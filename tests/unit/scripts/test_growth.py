"""The exponent of growth: the slope between the two largest sizes, the program's start left out."""

from __future__ import annotations

import pytest

from scripts.benchmarks.growth import LEAST_S, exponent


@pytest.mark.parametrize("power", [1, 2])
def test_it_is_the_power_that_a_figure_grows_with(power: int) -> None:
    at = {size: 0.5 + (size / 1000) ** power for size in (1000, 10_000, 50_000)}
    assert exponent({10: 0.5, **at}, LEAST_S) == pytest.approx(power)


def test_what_takes_no_time_beyond_its_start_does_not_grow() -> None:
    assert exponent({10: 0.2, 1000: 0.19, 10_000: 0.2}, LEAST_S) == 0


def test_small_sizes_tell_nothing() -> None:
    assert exponent({10: 0.1, 100: 1.0}, LEAST_S) is None
