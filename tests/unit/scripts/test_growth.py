"""The exponent of growth: the slope between the two largest sizes, the program's start left out."""

from __future__ import annotations

import pytest

from scripts.benchmarks.growth import Figures, exponent


@pytest.mark.parametrize("power", [1, 2])
def test_it_is_the_power_that_time_grows_with(power: int) -> None:
    at = {size: Figures(0.5 + (size / 1000) ** power, 0) for size in (1000, 10_000, 50_000)}
    assert exponent({10: Figures(0.5, 0), **at}) == pytest.approx(power)


def test_what_takes_no_time_beyond_its_start_does_not_grow() -> None:
    assert exponent({10: Figures(0.2, 0), 1000: Figures(0.19, 0), 10_000: Figures(0.2, 0)}) == 0


def test_small_sizes_tell_nothing() -> None:
    assert exponent({10: Figures(0.1, 0), 100: Figures(1, 0)}) is None
