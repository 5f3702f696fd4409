"""A fleet's files lie in memory as long as Ansible runs, and nothing of them afterwards."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SiteError
from bundler.host.interface import CommandResult, HttpAnswer
from bundler.manifest.yaml_edit import read_plain
from bundler.site.config.model import SiteHost
from bundler.site.fleet.edge_script_copy import edge_script_copy
from bundler.site.fleet.inventory import inventory
from bundler.site.fleet.playbook import FleetPlay, hand_over_script, playbook
from bundler.site.fleet.running import PLACE, FleetOrder, run_fleet
from bundler.site.invitation.inviting import edge_line, invited, require_edges, require_used
from tests.fakes.host import MemoryHost
from tests.unit.site.sites import EDGE1, EDGE2, MASTER, SITE

if TYPE_CHECKING:
    from collections.abc import Callable

PLAY = FleetPlay("/opt", "http://198.51.100.1:8088", 8090, "ab" * 32, forks=3)
SCRIPT = b"#!/bin/sh\n"


class Ansible:
    """What ansible-playbook sees and does on a host in memory."""

    def __init__(self, lines: bytes = b"", code: int = 0) -> None:
        self.lines, self.code = lines, code
        self.files: dict[str, bytes] = {}
        self.modes: set[int] = set()

    def __call__(self, host: MemoryHost) -> CommandResult:
        self.files = {path.removeprefix(f"{PLACE}/"): data for path, data in host.files.items()}
        self.modes = {host.modes[path] for path in host.files}
        if self.lines:
            host.files[f"{PLACE}/results.jsonl"] = self.lines
        return CommandResult(self.code, "", "")


def command(action: str, *limit: str) -> tuple[str, ...]:
    words = ("ansible-playbook", "-i", f"{PLACE}/inventory.yaml", "--forks", "3")
    return ("sh", "-c", 'exec "$0" "$@" >&2', *words, *limit, f"{PLACE}/{action}.yaml")


def test_everything_is_there_while_it_runs_and_gone_after_that() -> None:
    codes = invited(["edge1", "edge2"], 1).codes
    ansible = Ansible(b'{"host": "edge1", "task": "apply", "outcome": "ok", "stdout": "{}"}\n')
    host = MemoryHost({f"{PLACE}/codes/edge9.sh": b"left by a run that was killed"})
    host.answers[command("apply", "--limit", "edge1")] = ansible
    listened = threading.Event()

    def listen(over: Callable[[], bool]) -> None:
        while not over():
            pass
        listened.set()

    order = FleetOrder("apply", (EDGE1, EDGE2), PLAY, SCRIPT, limit="edge1")
    rows = run_fleet(host, order, codes, listen)
    assert [(row.host, row.outcome) for row in rows] == [("edge1", "done"), ("edge2", "not-run")]
    assert listened.is_set()
    books = {"apply.yaml", "plan.yaml", "check.yaml", "inventory.yaml", "edge.sh"}
    assert set(ansible.files) == {
        *books,
        "callback_plugins/bundler_results.py",
        "codes/edge1.sh",
        "codes/edge2.sh",
    }
    assert ansible.modes == {0o600}
    assert ansible.files["codes/edge1.sh"] == hand_over_script(codes["edge1"].text)
    assert host.files == {}
    # no code is anybody's to see among the arguments
    assert not any(code.text in " ".join([*host.ran]) for code in codes.values())


def test_what_goes_wrong_with_the_listener_is_told() -> None:
    def listen(_: Callable[[], bool]) -> None:
        raise SiteError(ErrorId.SITE_LISTEN_FAILED, "no", remedy="No.", step="")

    host = MemoryHost()
    with pytest.raises(SiteError):
        run_fleet(host, FleetOrder("plan", (EDGE1,), PLAY, SCRIPT), {}, listen)
    assert host.files == {}


def test_an_ansible_that_does_nothing_is_told_as_such() -> None:
    host = MemoryHost()
    host.answers[command("plan")] = Ansible(code=250)
    (row,) = run_fleet(host, FleetOrder("plan", (EDGE1,), PLAY, SCRIPT), {}, lambda _: None)
    assert row.what == "ansible-playbook ended with 250 and did nothing"


def test_groups_are_machines_and_labels() -> None:
    odd = SiteHost("edge3.site", "edge", "2001:db8::3", labels={"example.com/a-b": "x.y"})
    found = read_plain(inventory((EDGE1, EDGE2, odd)))["all"]
    hosts = {group: list(content["hosts"]) for group, content in found["children"].items()}
    assert hosts == {
        "edges": ["edge1", "edge2", "edge3.site"],
        "machine_x86_64": ["edge1"],
        "label_zone_a": ["edge1"],
        "machine_aarch64": ["edge2"],
        "label_example_com_a_b_x_y": ["edge3.site"],
    }
    assert found["children"]["edges"]["hosts"]["edge3.site"] == {"ansible_host": "2001:db8::3"}


def test_only_modules_that_need_nothing_on_an_edge_are_used() -> None:
    for action in ("plan", "apply", "check"):
        (play,) = read_plain(playbook(action, replace(PLAY, max_fail=2)))
        assert (play["gather_facts"], play["serial"]) == (False, 3)
        modules = {key for task in play["tasks"] for key in task if key.startswith("ansible.")}
        assert modules <= {"ansible.builtin.raw", "ansible.builtin.script", "ansible.builtin.meta"}
    (play,) = read_plain(playbook("apply", PLAY))
    assert "serial" not in play
    assert play["tasks"][0]["ansible.builtin.script"] == f"edge.sh --root /opt --id {'ab' * 32}"
    assert play["tasks"][1]["no_log"] is True


def test_the_script_names_the_mirror_as_edges_reach_it() -> None:
    text = "mirror='http://192.0.2.1:8088/@site'\nedge \"$@\"\n"
    host = MemoryHost(ports={("192.0.2.1", 8088)}, answer=HttpAnswer(200, text))
    assert b"mirror='http://198.51.100.1:8088/@site'\n" in edge_script_copy(host, SITE)


@pytest.mark.parametrize("answer", [None, HttpAnswer(404, 'edge "$@"\n'), HttpAnswer(200, "mirror='x'\n")])
def test_a_script_that_is_none_goes_nowhere(answer: HttpAnswer | None) -> None:
    host = MemoryHost(ports={("192.0.2.1", 8088)}, answer=answer)
    with pytest.raises(SiteError) as refused:
        edge_script_copy(host, SITE)
    assert refused.value.id is ErrorId.SITE_UNMET


def test_the_line_of_an_edge() -> None:
    assert edge_line(SITE, "edge1", 8090) == (
        "curl -fsS http://198.51.100.1:8088/-/edge.sh | sh -s -- --join --host edge1"
    )
    six = replace(SITE, hosts=(replace(MASTER, reached_at=("2001:db8::1",)), EDGE1))
    assert edge_line(six, "edge1", 8443) == (
        "curl -gfsS http://[2001:db8::1]:8088/-/edge.sh | sh -s -- --join --host edge1 --port 8443"
    )


def test_only_edges_of_the_site_are_invited_and_all_have_to_come() -> None:
    require_edges(SITE, ["edge1", "edge2"])
    for name in ("edge9", "master"):
        with pytest.raises(SiteError) as unknown:
            require_edges(SITE, ["edge1", name])
        assert unknown.value.id is ErrorId.SITE_HOST_UNKNOWN
    require_used({"edge1": "used"})
    with pytest.raises(SiteError) as ended:
        require_used({"edge1": "used", "edge2": "expired", "edge3": "exhausted"})
    assert ended.value.problems == ("edge2: its time was over", "edge3: a wrong code was shown too often")
