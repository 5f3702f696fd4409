"""A disk that loses power keeps what was synced, and nothing that was not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hosts.stage import HostPlan, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hosts.nspawn_host import NspawnHost

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("hosts")]


@pytest.fixture(scope="module", params=["/opt", "/"])
def edge(request: pytest.FixtureRequest) -> Iterator[NspawnHost]:
    with stage(HostPlan("edge", disks=(request.param,))) as (made,):
        yield made


@pytest.fixture
def host(edge: NspawnHost) -> NspawnHost:
    if not edge.running:
        edge.start()
    return edge


def test_what_was_synced_outlives_a_power_cut_and_the_rest_does_not(host: NspawnHost) -> None:
    host.sh("echo kept >/opt/kept && sync /opt/kept /opt && echo lost >/opt/lost && cat /opt/lost")
    host.kill()
    assert host.sh("ls /opt/kept /opt/lost 2>/dev/null || true; cat /opt/kept") == "/opt/kept\nkept\n"
    host.start()
    assert host.sh("cat /opt/kept; rm /opt/kept") == "kept\n"


def test_a_name_that_was_not_synced_is_not_there_though_its_file_was(host: NspawnHost) -> None:
    host.sh(
        "echo old >/opt/file && sync && echo new >/opt/file.new && sync -d /opt/file.new && mv /opt/file.new /opt/file"
    )
    host.kill()
    host.start()
    assert host.sh("cat /opt/file") == "old\n"


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
