"""A disk that loses power keeps what was synced, and nothing that was not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hosts.stage import HostPlan, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hosts.nspawn_host import NspawnHost

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("hosts")]
CUTS = 6


@pytest.fixture(scope="module", params=["/opt", "/"])
def edge(request: pytest.FixtureRequest) -> Iterator[NspawnHost]:
    with stage(HostPlan("edge", disks=(request.param,))) as (made,):
        yield made


@pytest.fixture
def host(edge: NspawnHost) -> NspawnHost:
    if not edge.running:
        edge.start()
    return edge


def is_lost_by_a_cut(host: NspawnHost, write: str, lost: str) -> bool:
    """Tell whether one of some power cuts loses what was written.

    Whatever else runs on the host may have synced something, and ext4 writes its journal as a whole.

    Arguments:
        lost: a script that fails where it is there.
    """
    for _ in range(CUTS):
        host.sh(write)
        host.kill()
        host.start()
        if host.run("sh", "-euc", lost).code == 0:
            return True
    return False


def test_what_was_synced_outlives_a_power_cut_and_the_rest_does_not(host: NspawnHost) -> None:
    write = "rm -f /opt/lost && echo kept >/opt/kept && sync /opt/kept /opt && echo lost >/opt/lost && cat /opt/lost"
    assert is_lost_by_a_cut(host, write, "test ! -e /opt/lost")
    assert host.sh("cat /opt/kept; rm /opt/kept") == "kept\n"


def test_a_name_that_was_not_synced_is_not_there_though_its_file_was(host: NspawnHost) -> None:
    written = "echo old >/opt/file && sync && echo new >/opt/file.new && sync -d /opt/file.new"
    assert is_lost_by_a_cut(host, f"{written} && mv /opt/file.new /opt/file", 'test "$(cat /opt/file)" = old')


def test_a_host_that_is_stopped_or_rebooted_loses_nothing(host: NspawnHost) -> None:
    host.sh("echo 1 >/opt/written")
    host.reboot()
    host.sh("cat /opt/written; echo 2 >>/opt/written")
    host.stop()
    host.start()
    assert host.sh("cat /opt/written") == "1\n2\n"


def test_a_snapshot_has_the_disk_too(host: NspawnHost) -> None:
    host.sh("echo before >/opt/state; echo before >/etc/state")
    host.stop()
    before = host.snapshot()
    host.start()
    host.sh("echo after >/opt/state; echo after >/etc/state; sync")
    host.roll_back(before)
    host.start()
    assert host.sh("cat /opt/state /etc/state") == "before\nbefore\n"
