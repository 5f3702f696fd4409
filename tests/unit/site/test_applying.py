"""Steps are planned, applied, checked and undone in their order, each by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import ErrorId, SiteError, StorageError
from bundler.host.apply import read_journal
from bundler.host.changes import RunCommand
from bundler.host.interface import CommandResult
from bundler.site.config.model import SiteConfig, SiteHost
from bundler.site.installer import journal_path, site_installer
from bundler.site.roles import CLOUD, EDGE
from bundler.site.step import Step, StepContext, StepFinding
from bundler.site.step_plan import plan_site
from bundler.site.steps.hosts import HostNames
from tests.fakes.host import MemoryHost
from tests.unit.site.sites import applied, context, undone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change

HOSTS = b"127.0.0.1 localhost"


class Service(Step):
    """Starts something, which may be in trouble."""

    name = "service"
    title = "a service"

    def __init__(self, unmet: tuple[StepFinding, ...] = (), faults: tuple[StepFinding, ...] = ()) -> None:
        self._unmet, self._faults = unmet, faults

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        del at
        return self._unmet

    def changes(self, at: StepContext) -> Sequence[Change]:
        del at
        return (RunCommand(("start", "it"), undo=("stop", "it"), check=("runs", "it")),)

    def faults(self, at: StepContext) -> Sequence[StepFinding]:
        del at
        return self._faults


def fresh() -> MemoryHost:
    host = MemoryHost({"/etc/hosts": HOSTS})
    host.learn(Service().changes(context(host)))
    return host


def test_a_fresh_host_shows_every_step_and_changes_nothing() -> None:
    host = fresh()
    plans = plan_site(context(host), (HostNames(), Service()))
    assert [(plan.name, plan.state) for plan in plans] == [("hosts", "to-do"), ("service", "to-do")]
    (change,) = plans[0].changes
    assert change.title == "add to /etc/hosts, at its end"
    assert [line.strip() for line in change.lines] == ["192.0.2.1 master", "192.0.2.11 edge1", "192.0.2.12 edge2"]
    assert host.files == {"/etc/hosts": HOSTS}


def test_a_second_apply_changes_nothing_and_undo_gives_every_byte_back() -> None:
    host = fresh()
    at = context(host)
    steps = (HostNames(), Service())
    assert applied(at, steps) == ["add to /etc/hosts, at its end", "start it"]
    assert applied(at, steps) == []
    assert [plan.state for plan in plan_site(at, steps)] == ["done", "done"]
    assert undone(at, steps) == ["stop it", "take the lines out of /etc/hosts"]
    assert host.files == {"/etc/hosts": HOSTS}
    assert undone(at, steps) == []


def test_the_journal_tells_step_time_and_duration() -> None:
    host = fresh()
    applied(context(host), (HostNames(), Service()))
    journal = read_journal(host, site_installer("cloud"))
    assert journal is not None
    assert {record.step for record in journal.made} == {"hosts", "service"}
    assert all(record.at == int(host.time) for record in journal.made)
    head: Any = journal.head
    assert (head["role"], head["host"], sorted(head["steps"])) == ("cloud", "master", ["hosts", "service"])
    assert host.modes[journal_path("cloud")] == 0o600


def test_the_first_failing_step_ends_it_and_the_next_time_goes_on_from_there() -> None:
    host = fresh()
    at = context(host)
    host.failing["start", "it"] = CommandResult(1, "", "no room\n")
    with pytest.raises(SiteError, match="no room") as raised:
        applied(at, (HostNames(), Service(), Service()))
    assert (raised.value.id, raised.value.step) == (ErrorId.SITE_STEP_FAILED, "service")
    host.failing.clear()
    assert applied(at, (HostNames(), Service())) == ["start it"]


def test_what_is_in_the_way_is_told_and_nothing_is_tried() -> None:
    host = fresh()
    steps = (
        Service(
            unmet=(
                StepFinding("a", "one is wrong", "here", "Mend it."),
                StepFinding("b", "two is wrong", weight="unmet"),
            )
        ),
    )
    (plan,) = plan_site(context(host), steps)
    assert (plan.state, [finding.id for finding in plan.findings]) == ("unmet", ["a", "b"])
    assert plan.changes
    with pytest.raises(SiteError, match="one is wrong") as raised:
        applied(context(host), steps)
    error = raised.value
    assert (error.id, error.where, error.remedy, error.problems) == (
        ErrorId.SITE_UNMET,
        "here",
        "Mend it.",
        ("two is wrong",),
    )
    assert host.ran == []


def test_what_does_not_work_although_all_is_made_is_a_fault() -> None:
    host = fresh()
    steps = (Service(faults=(StepFinding("dead", "it is dead", weight="fault"),)),)
    with pytest.raises(SiteError, match="it is dead") as raised:
        applied(context(host), steps)
    assert raised.value.id is ErrorId.SITE_STEP_FAILED
    (plan,) = plan_site(context(host), steps)
    assert plan.state == "faulty"


def test_one_at_a_time_and_only_root() -> None:
    host = fresh()
    host.lock_taken = True
    with pytest.raises(SiteError) as raised:
        applied(context(host), (HostNames(),))
    assert raised.value.id is ErrorId.SITE_BUSY
    host.root = False
    with pytest.raises(SiteError) as raised:
        applied(context(host), (HostNames(),))
    assert raised.value.id is ErrorId.SITE_NOT_ROOT


def test_an_error_of_the_disk_names_the_step() -> None:
    class Full(MemoryHost):
        def write(self, path: str, data: bytes, mode: int | None = None, owner: Any = None) -> None:
            if path == "/etc/hosts":
                raise StorageError(ErrorId.DISK_FULL, "no room", where=path, remedy="Make room.")
            MemoryHost.write(self, path, data, mode, owner)

    with pytest.raises(StorageError, match="in step hosts"):
        applied(context(Full({"/etc/hosts": HOSTS})), (HostNames(),))


def test_a_site_that_changed_is_brought_to_what_it_says_now() -> None:
    host = fresh()
    at = context(host)
    applied(at, (HostNames(),))
    smaller = context(host, type(at.config)(at.config.hosts[:2]))
    assert applied(smaller, (HostNames(),)) == ["add to /etc/hosts, at its end"]
    assert b"edge2" not in host.files["/etc/hosts"]
    undone(smaller, (HostNames(),))
    assert host.files["/etc/hosts"] == HOSTS


def test_edges_reach_the_master_where_it_is_reached_and_lines_of_others_are_named() -> None:
    host = MemoryHost({"/etc/hosts": HOSTS + b"\n203.0.113.9 master # appended\n"}, host_name="edge1")
    (plan,) = plan_site(context(host, role="edge"), (HostNames(),))
    assert plan.state == "unmet"
    assert plan.findings[0].what == "line 2 names master 203.0.113.9 already, and the site says 198.51.100.1"
    assert plan.changes[0].lines[0].strip() == "198.51.100.1 master"


def test_every_step_has_a_name_and_a_title_of_its_own() -> None:
    for steps in (CLOUD, EDGE):
        assert len({step.name for step in steps}) == len(steps)
        assert all(step.title and step.title[0].islower() for step in steps)


def test_what_only_root_may_read_is_in_the_way_of_its_step_and_of_no_other() -> None:
    class Private(MemoryHost):
        def read(self, path: str) -> bytes | None:
            if path == "/etc/hosts":
                raise StorageError(ErrorId.STORAGE_UNUSABLE, "Permission denied", where=path, remedy="Mend it.")
            return MemoryHost.read(self, path)

    host = Private(root=False)
    host.learn(Service().changes(context(host)))
    first, second = plan_site(context(host), (HostNames(), Service()))
    assert (first.state, second.state) == ("unmet", "to-do")
    assert [(found.id, found.where, found.remedy) for found in first.findings] == [
        ("unreadable", "/etc/hosts", "Run it as root to see it.")
    ]


@pytest.mark.parametrize(
    ("line", "taken"),
    [
        ("2001:DB8:0:0:0:0:0:1 master", False),
        ("2001:db8::1 MASTER", False),
        ("2001:db8::9 Master", True),
        ("no-address master", True),
    ],
)
def test_names_and_addresses_are_compared_as_what_they_are(line: str, taken: bool) -> None:
    host = MemoryHost({"/etc/hosts": f"127.0.0.1 localhost\r\n{line}\r\n".encode()})
    config = SiteConfig((SiteHost("master", "cloud", "2001:db8::1"),))
    (plan,) = plan_site(context(host, config), (HostNames(),))
    assert (plan.state == "unmet") is taken


def test_a_journal_whose_head_is_another_s_is_written_again() -> None:
    host = fresh()
    host.files[journal_path("cloud")] = b'{"format": 1, "made": [], "steps": [1]}'
    applied(context(host), (HostNames(),))
    journal = read_journal(host, site_installer("cloud"))
    assert journal is not None
    head: Any = journal.head
    assert list(head["steps"]) == ["hosts"]
