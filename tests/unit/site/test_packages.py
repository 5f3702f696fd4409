"""Packages come from the bundle's own repository alone, once, and stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bundler.errors import SiteError
from bundler.host.interface import CommandResult
from bundler.site.packages import missing_packages, offered, package_manager, packages
from bundler.site.step import Step, StepContext
from tests.fakes.host import MemoryHost
from tests.unit.site.sites import applied, context, undone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change

FILES = {
    "yum/docker-ce-20.10.24-3.el7.x86_64.rpm": b"1",
    "yum/wget-1.14-18.el7.noarch.rpm": b"2",
    "yum-aarch64/unzip-6.0-24.el7.aarch64.rpm": b"3",
    "yum/no-package.rpm": b"4",
}
INSTALL = "yum -y --disablerepo=* --enablerepo=bundler-site* install docker-ce wget"


class Engine(Step):
    """Wants two packages."""

    name = "engine"
    title = "an engine"

    def changes(self, at: StepContext) -> Sequence[Change]:
        del at
        return (packages(["docker-ce", "wget", "docker-ce"]),)


def host_with(*paths: str) -> MemoryHost:
    return MemoryHost(dict.fromkeys(paths, b""))


def test_they_are_installed_once_and_stay_with_a_word() -> None:
    host = host_with("/usr/bin/yum")
    at = context(host, files=FILES)
    assert applied(at, (Engine(),)) == ["install docker-ce wget"]
    assert host.ran == [INSTALL]
    assert applied(at, (Engine(),)) == []
    (line,) = undone(at, (Engine(),))
    assert line == "leave as it is: packages stay installed: docker-ce wget (`yum remove docker-ce wget`)"
    assert host.ran == [INSTALL]


def test_the_command_is_shown_as_it_is_run_and_dnf_serves_where_there_is_no_yum() -> None:
    (change,) = Engine().changes(context(host_with()))
    assert change.describe(host_with("/usr/bin/dnf")).splitlines() == [
        "install docker-ce wget",
        "    dnf -y '--disablerepo=*' '--enablerepo=bundler-site*' install docker-ce wget",
    ]
    assert change.describe(host_with()).splitlines()[1].startswith("    yum ")
    assert [package_manager(host_with(path)) for path in ("/usr/bin/dnf", "/usr/bin/yum", "/x")] == ["dnf", "yum", ""]


def test_what_the_manager_complains_of_is_told_first() -> None:
    host = host_with("/usr/bin/dnf")
    host.failing[tuple(INSTALL.replace("yum", "dnf", 1).split())] = CommandResult(
        1, "Last metadata check\n", "warning\nError: Unable to find a match: wget\n(try to add '--skip-broken')\n"
    )
    with pytest.raises(SiteError, match="exit 1: Error: Unable to find a match: wget") as raised:
        applied(context(host), (Engine(),))
    assert "(try to add '--skip-broken')" in raised.value.problems


def test_a_manager_that_ends_well_and_does_nothing_is_no_success() -> None:
    host = host_with("/usr/bin/yum")
    host.answers[tuple(INSTALL.split())] = lambda _: CommandResult(0, "Nothing to do\n", "")
    with pytest.raises(SiteError, match="docker-ce, wget is not installed"):
        applied(context(host), (Engine(),))


def test_what_the_bundle_has_for_this_machine_is_known_by_its_index() -> None:
    at = context(MemoryHost(), files=FILES)
    assert offered(at) == {"docker-ce", "wget"}
    assert offered(context(MemoryHost(machine_name="aarch64"), files=FILES)) == {"unzip", "wget"}
    assert missing_packages(at, ["docker-ce", "wget"]) == ()
    (finding,) = missing_packages(at, ["wget", "unzip", "lrzsz"])
    assert (finding.what, finding.weight) == ("the bundle has no unzip, lrzsz for x86_64", "unmet")
    assert missing_packages(context(MemoryHost(packages={"unzip", "lrzsz"}), files=FILES), ["unzip", "lrzsz"]) == ()
