"""What became of each host: from the lines that Ansible's tasks left to one row for each. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bundler.model.json_value import load_foreign
from bundler.site.counting import counted_changes, counted_steps
from bundler.site.fleet.playbook import FLEET_ACTIONS
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.model.json_value import Json

FleetOutcome = Literal["done", "failed", "unreachable", "not-run"]
_OUTCOMES: Mapping[str, FleetOutcome] = {"failed": "failed", "unreachable": "unreachable"}
# what a shell says where there is no such program
_NO_PROGRAM = 127


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One host.

    Arguments:
        task: the last one that it came to; "" for none.
        what: why it failed, or what was done, in one line.
        answer: what `bundler site` answered there, as its schema says; empty for nothing.
    """

    host: str
    outcome: FleetOutcome
    task: str = ""
    what: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> dict[str, Json]:
        """As `hosts[]` of the JSON answer has it."""
        return {
            "host": self.host,
            "outcome": self.outcome,
            "task": self.task or None,
            "what": self.what or None,
            "answer": self.answer or None,
        }


def fleet_rows(hosts: Sequence[str], lines: bytes, *, why_none: str = "") -> tuple[FleetRow, ...]:
    """Return a row for each host.

    Arguments:
        lines: JSON, a line for each task of each host, in order; what is none is skipped.
        why_none: what to say of hosts that nothing was done on; "" where nothing is known.
    """
    last: dict[str, Mapping[str, Any]] = {}
    for line in lines.splitlines():
        try:
            value = load_foreign(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            last[str(value.get("host"))] = value
    return tuple(_row(host, last.get(host), why_none) for host in hosts)


def _row(host: str, last: Mapping[str, Any] | None, why_none: str) -> FleetRow:
    if last is None:
        return FleetRow(host, "not-run", what=why_none)
    task = str(last.get("task", ""))
    answer = _answer(last)
    outcome = _OUTCOMES.get(str(last.get("outcome")), "done" if task in FLEET_ACTIONS else "not-run")
    if outcome == "not-run":
        return FleetRow(host, "failed", task, tr("it came no further than this"))
    return FleetRow(host, outcome, task, _done(answer) if outcome == "done" else _why(last, answer), answer)


def _answer(last: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        value = load_foreign(str(last.get("stdout", "")))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _done(answer: Mapping[str, Any]) -> str:
    steps = answer.get("steps")
    if not isinstance(steps, list):
        return ""
    known = [step for step in steps if isinstance(step, dict)]
    steps_text = counted_steps(len(known))
    if any("state" in step for step in known):
        left = sum(step.get("state") != "done" for step in known)
        return (
            tr("{steps_text}, {left} to do", steps_text=steps_text, left=left)
            if left
            else tr("{steps_text}, all done", steps_text=steps_text)
        )
    made = sum(len(changed) for step in known if isinstance(changed := step.get("changed"), list))
    return (
        f"{steps_text}, {counted_changes(made)}" if made else tr("{steps_text}: nothing to do", steps_text=steps_text)
    )


def _why(last: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    failure = answer.get("error", answer)
    if isinstance(failure, dict) and "what" in failure:
        where = f"{failure['where']}: " if failure.get("where") else ""
        return f"{where}{failure['what']} [{failure.get('id')}]"
    if last.get("rc") == _NO_PROGRAM:
        return tr("the tool is not there yet; `bundler site fleet apply edge` brings it")
    words = str(last.get("stderr") or last.get("msg") or last.get("stdout") or "").strip().splitlines()
    return words[-1] if words else tr("exit {last}", last=last.get("rc"))
