"""cloudcore.yaml and edgecore.yaml by key path, on what keadm really writes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.host.file_changes import CannotEditError
from bundler.manifest.yaml_edit import read_plain
from bundler.site.edits.kubeedge_yaml import (
    CLOUD_ARGUMENTS,
    cloud_values,
    edge_values,
    joins,
    own_settings,
    value_lines,
    with_own_settings,
    with_values,
)
from tests.stand_ins.recordings import settings_file
from tests.unit.site.sites import EDGE1, SITE

CLOUD = settings_file("cloudcore.yaml").replace("CLOUD_IP", "198.51.100.1").encode()
EDGE = settings_file("edgecore.yaml").replace("CLOUD_IP", "198.51.100.1").replace("EDGE_NAME", "edge1").encode()


def changed(before: bytes, after: bytes) -> dict[int, str]:
    """Return line number -> new line of what differs, as long as no line was added."""
    pairs = zip(before.decode().splitlines(), after.decode().splitlines(), strict=True)
    return {number: new for number, (old, new) in enumerate(pairs, 1) if old != new}


def test_the_guide_s_line_44_and_nothing_but_it() -> None:
    one = replace(SITE, hosts=(replace(SITE.cloud, reached_at=(), address="198.51.100.1"), EDGE1))
    after = with_values(CLOUD, cloud_values(one), maker="x")
    assert changed(CLOUD, after) == {44: "    enable: true"}
    assert with_values(after, cloud_values(one), maker="x") == after


def test_two_addresses_do_not_shift_it() -> None:
    document = read_plain(with_values(CLOUD, cloud_values(SITE), maker="x"))
    assert document["modules"]["cloudHub"]["advertiseAddress"] == ["198.51.100.1", "192.0.2.1"]
    assert document["modules"]["cloudStream"]["enable"] is True
    assert document["modules"]["iptablesManager"] == {"enable": True, "mode": "internal"}


def test_the_guide_s_lines_37_and_103_and_the_sandbox_image() -> None:
    after = with_values(EDGE, edge_values(SITE, "kubeedge/pause:3.1", ""), maker="x")
    assert changed(EDGE, after) == {37: "    enable: true", 103: "    enable: true"}
    other = with_values(EDGE, edge_values(SITE, "master/kubeedge/pause:3.1", "systemd"), maker="x")
    assert set(changed(EDGE, other).values()) == {
        "    enable: true",
        "    cgroupDriver: systemd",
        "    podSandboxImage: master/kubeedge/pause:3.1",
    }


def test_switches_have_their_names() -> None:
    settings = replace(SITE.kubeedge, router=True, dynamic_controller=True, meta_server=True, stream=False)
    site = replace(SITE, kubeedge=settings)
    assert value_lines(cloud_values(site))[2:] == (
        "modules.cloudStream.enable: false",
        "modules.dynamicController.enable: true",
        "modules.router.enable: true",
    )
    assert "modules.metaManager.metaServer.enable: true" in value_lines(edge_values(site, "p", ""))


@pytest.mark.parametrize("there", [None, b"- a list\n", b"a: [\n"])
def test_what_cannot_be_edited_is_told(there: bytes | None) -> None:
    with pytest.raises(CannotEditError):
        with_values(there, cloud_values(SITE), maker="keadm-init")


def test_whose_node_it_is() -> None:
    document = read_plain(EDGE)
    assert joins(document, SITE, EDGE1) == ""
    assert "another node" in joins(document, SITE, replace(EDGE1, name="other"))
    assert "another cloud" in joins(read_plain(EDGE.replace(b"198.51.100.1", b"203.0.113.1")), SITE, EDGE1)
    assert "another cloud" in joins(None, SITE, EDGE1)


def test_what_somebody_set_is_what_differs_from_what_keadm_wrote() -> None:
    there = CLOUD.replace(b"nodeLimit: 1000", b"nodeLimit: 7").replace(b"qps: 100", b"qps: 100\n  extra: yes")
    own = own_settings(there, CLOUD, CLOUD_ARGUMENTS)
    assert own == [(("kubeAPIConfig", "extra"), True), (("modules", "cloudHub", "nodeLimit"), 7)]
    merged = read_plain(with_own_settings(CLOUD, own))
    assert merged == read_plain(there)
    # of what keadm's arguments decide nothing is anybody's own, also when nobody knows what was written
    assert all(path[:1] != ("kind",) for path, _ in own_settings(there, None, CLOUD_ARGUMENTS))
    # one value takes no mapping's place
    assert with_own_settings(CLOUD, [(("modules", "cloudHub"), None)]) == CLOUD
