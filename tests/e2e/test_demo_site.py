"""scripts/demo --site sets a master and an edge up, says what of it is played, and takes all of it away again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.site.roles import steps_of
from scripts.demo_journey.needs import missing
from tests.e2e.demo_run import run_demo
from tests.integration.site_stage import LEFT_OUT, PLAYED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.ready_runtime import ReadyRuntime

pytestmark = pytest.mark.xdist_group("site")


def test_a_site_is_set_up_by_one_command_and_one_line(tmp_path: Path, runtime: ReadyRuntime) -> None:
    if reasons := missing():
        pytest.skip("; ".join(reasons))
    said = run_demo(tmp_path / "out", "--site", environment=runtime.environment).said
    assert "not played" not in said
    for what in (*PLAYED.values(), *LEFT_OUT.values()):
        assert what in said
    for role in ("cloud", "edge"):
        steps = steps_of(role)
        assert f"{len(steps)} steps: nothing to do" in said
        assert all(f"/{len(steps)}] {step.name}: " in said for step in steps)
    assert "edge1 is known to the master; the steps follow" in said
    assert "198.51.100.1:10004  connected" in said
    assert "edge1        Ready, agent,edge, v1.22.6-kubeedge-v1.11.1" in said
    assert "fault: " not in said
    assert said.count("\nundone\n") == 2
