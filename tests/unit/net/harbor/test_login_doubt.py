"""Which refusals of an accepted login may pass."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bundler.errors import ErrorId, SourceError
from bundler.net.harbor.login_doubt import HEALTH_LAG_S, LoginDoubt
from bundler.net.interface import HarborHealth
from tests.fakes.harbor import FakeHarbor

SICK = HarborHealth(healthy=False, unhealthy_components=("database",))
WELL = HarborHealth(healthy=True)


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


def refusal(code: str = "") -> SourceError:
    return SourceError(ErrorId.SOURCE_UNAUTHORIZED, "refuses", remedy="Log in.", status=401, code=code)


@pytest.mark.parametrize("code", ["", "UNAUTHORIZED"])
def test_while_a_component_is_sick_and_for_as_long_as_it_takes_to_connect_again(code: str) -> None:
    clock = Clock()
    doubt = LoginDoubt(FakeHarbor([SICK, WELL]), clock)
    assert "(database)" in doubt.why(refusal(code))
    clock.now_s += HEALTH_LAG_S - 1
    assert "(database)" in doubt.why(refusal(code))
    clock.now_s += 1
    assert bool(doubt.why(refusal(code))) == (code == "")


def test_a_refusal_without_words_before_its_health_can_know() -> None:
    clock = Clock()
    doubt = LoginDoubt(FakeHarbor([WELL, WELL, SICK]), clock)
    assert doubt.why(refusal())
    clock.now_s += HEALTH_LAG_S - 1
    assert doubt.why(refusal())
    clock.now_s += 1
    assert "(database)" in doubt.why(refusal())


def test_a_refusal_that_lasts_is_believed() -> None:
    clock = Clock()
    doubt = LoginDoubt(FakeHarbor([WELL]), clock)
    assert doubt.why(refusal())
    clock.now_s += HEALTH_LAG_S
    assert doubt.why(refusal()) == ""


def test_words_of_a_healthy_harbor_and_refusals_of_another_registry_are_believed() -> None:
    assert LoginDoubt(FakeHarbor([WELL])).why(refusal("UNAUTHORIZED")) == ""
    assert LoginDoubt(FakeHarbor([HarborHealth(healthy=False)])).why(refusal()) == ""
