"""From what Ansible's tasks left to a row for each host."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bundler.site.fleet.fleet_results import FleetRow, fleet_rows
from bundler.site.fleet.playbook import CODE_TASK, FILES_TASK

DONE = {"steps": [{"name": "hosts", "changed": ["a", "b"]}, {"name": "docker", "changed": []}]}


def line(task: str, outcome: str = "ok", host: str = "edge1", **more: Any) -> bytes:
    return json.dumps({"host": host, "task": task, "outcome": outcome, **more}).encode() + b"\n"


def row(*lines: bytes) -> FleetRow:
    (found,) = fleet_rows(["edge1"], b"".join(lines))
    return found


def test_a_host_is_done_when_its_last_task_is() -> None:
    found = row(line(FILES_TASK), line(CODE_TASK), line("apply", stdout=json.dumps(DONE)))
    assert (found.outcome, found.what, found.answer) == ("done", "2 steps, 2 changes", DONE)
    assert row(line("apply", stdout='{"steps": []}')).what == "0 steps: nothing to do"
    looked = {"steps": [{"state": "done"}, {"state": "to-do"}]}
    assert row(line("plan", stdout=json.dumps(looked))).what == "2 steps, 1 to do"
    assert row(line("plan", stdout=json.dumps({"steps": [{"state": "done"}]}))).what == "1 step, all done"
    assert row(line("plan", stdout="no JSON")) == FleetRow("edge1", "done", "plan")


def test_why_it_failed_is_the_tools_own_word_where_there_is_one() -> None:
    failure = {"id": "site-unmet", "what": "swap is on", "where": None}
    assert row(line("apply", "failed", stdout=json.dumps(failure))).what == "swap is on [site-unmet]"
    within = json.dumps({"steps": [], "error": {**failure, "where": "/etc/fstab"}})
    assert row(line("check", "failed", stdout=within)).what == "/etc/fstab: swap is on [site-unmet]"
    assert row(line(FILES_TASK, "failed", stderr="a\nedge.sh: no room\n", rc=11)).what == "edge.sh: no room"
    assert row(line("apply", "unreachable", msg="no route to host")).outcome == "unreachable"
    assert "brings it" in row(line("plan", "failed", rc=127, stderr="not found")).what
    assert row(line(FILES_TASK, "failed", rc=3)).what == "exit 3"
    assert row(line("apply", "failed", stdout="[]", rc=1)).what == "[]"


def test_what_was_cut_or_never_begun_is_no_success() -> None:
    assert row(line(FILES_TASK)).outcome == "failed"
    assert row(b"", b"garbage\n[1]\n\xff\n") == FleetRow("edge1", "not-run")
    rows = fleet_rows(["a", "b"], b"", why_none="ansible-playbook ended with 250 and did nothing")
    assert [one.what for one in rows] == ["ansible-playbook ended with 250 and did nothing"] * 2
    assert rows[0].value["answer"] is None


@pytest.mark.parametrize(
    "steps", ["5", '[{"changed": 5}]', '[{"changed": {"a": 1}}]', '[5, null, {"state": []}]', "[[]]"]
)
def test_what_a_host_answers_may_be_anything(steps: str) -> None:
    found = row(line("apply", stdout=f'{{"steps": {steps}, "more": [NaN, 1e999, "\\ud800"]}}'))
    assert found.outcome == "done"
    assert json.loads(json.dumps(found.value, allow_nan=False, ensure_ascii=False).encode())["host"] == "edge1"
