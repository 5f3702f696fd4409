"""What a master gives, and where an edge puts it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, SiteError
from bundler.site.config.model import (
    DockerSettings,
    KubeEdgeSettings,
    MirrorSettings,
    RegistrySettings,
    SiteConfig,
)
from bundler.site.config.reading import read_site
from bundler.site.invitation.joining import EDGE_CONFIG, joined_site, joining_alone, settle
from bundler.site.invitation.offering import join_answer, offering_lacks
from bundler.site.invitation.public_part import public_part
from bundler.site.registry_files import AUTHORITY, AUTHORITY_KEY, PULL_LOGIN
from tests.fakes.host import MemoryHost
from tests.unit.site.sites import SITE

if TYPE_CHECKING:
    from bundler.site.invitation.join_message import JoinAnswer

PRIVATE = replace(
    SITE,
    mirror=MirrorSettings(8088, None),
    registry=RegistrySettings(
        port=8443, project="edge", public=False, username="pusher", password_file="/root/the-password",
        certificate="/root/cert", private_key="/root/key", ca_file="/root/authority.pem", data="/srv/harbor",
    ),
    docker=DockerSettings({"log-opts": {"max-size": "10m"}}, ("wget",)),
    kubeedge=KubeEdgeSettings("1.12.1", "/root/kubeconfig", meta_server=True, pause="a/b:1"),
)  # fmt: skip
LOGIN = b'{"auths": {"master": {"auth": "cm9ib3Q="}}}'


def answer_of(master: MemoryHost, config: SiteConfig = PRIVATE) -> JoinAnswer:
    return join_answer(master, config, edge="edge1", bundle="ab" * 32, token=lambda: "the-token\n")


def test_an_edge_is_told_what_its_steps_look_at_and_nothing_of_the_masters_files() -> None:
    master = MemoryHost({"/root/authority.pem": b"PEM", PULL_LOGIN: LOGIN})
    answer = answer_of(master)
    text = answer.encode().decode()
    for secret in ("/root/", "/srv/harbor", "pusher", "kubeconfig"):
        assert secret not in text
    site = joined_site(answer)
    registry = replace(
        PRIVATE.registry, username="admin", password_file=RegistrySettings().password_file, certificate="",
        private_key="", ca_file=AUTHORITY, data="/data",
    )  # fmt: skip
    kubeedge = replace(PRIVATE.kubeedge, kubeconfig=KubeEdgeSettings().kubeconfig)
    assert site.config == replace(PRIVATE, registry=registry, kubeedge=kubeedge)
    assert (answer.token, answer.registry_ca, answer.docker_config) == (
        "the-token",
        "PEM",
        {"auths": {"master": {"auth": "cm9ib3Q="}}},
    )


def test_an_edge_takes_its_packages_as_the_site_says() -> None:
    over_ftp = replace(SITE, mirror=MirrorSettings(packages="ftp"))
    assert joined_site(answer_of(MemoryHost(), over_ftp)).config.mirror == over_ftp.mirror


def test_a_plain_site_comes_back_as_it_was() -> None:
    answer = answer_of(MemoryHost(), SITE)
    assert joined_site(answer).config == SITE
    assert (answer.registry_ca, answer.docker_config) == ("", None)
    assert public_part(SITE) == public_part(joined_site(answer).config)


@pytest.mark.parametrize(
    ("registry", "authority"),
    [
        (RegistrySettings(), "site"),
        (RegistrySettings(https=False), ""),
        (RegistrySettings("mirror"), ""),
        (RegistrySettings("existing", "hub.example"), ""),
        (RegistrySettings("existing", "hub.example", ca_file="/ca"), "given"),
        (RegistrySettings(certificate="/cert", private_key="/key"), "cert"),
    ],
)
def test_the_authority_is_the_one_of_the_registry(registry: RegistrySettings, authority: str) -> None:
    master = MemoryHost({AUTHORITY: b"site", "/ca": b"given", "/cert": b"cert"})
    assert answer_of(master, replace(SITE, registry=registry)).registry_ca == authority


def test_what_edges_will_want_is_looked_for_before_they_come() -> None:
    lacking = offering_lacks(MemoryHost(), PRIVATE)
    assert [line.partition(":")[0] for line in lacking] == ["/root/authority.pem", PULL_LOGIN]
    assert offering_lacks(MemoryHost({"/root/authority.pem": b"PEM", PULL_LOGIN: LOGIN}), PRIVATE) == []
    assert offering_lacks(MemoryHost(), replace(SITE, registry=RegistrySettings("mirror"))) == []


@pytest.mark.parametrize("login", [None, b"{", b"[]", b"\xff"])
def test_a_login_that_is_none_is_not_given(login: bytes | None) -> None:
    master = MemoryHost({} if login is None else {PULL_LOGIN: login})
    assert answer_of(master).docker_config is None


def test_everything_comes_to_its_place_and_the_token_goes() -> None:
    edge = MemoryHost({EDGE_CONFIG: b"mine"})
    answer = answer_of(MemoryHost({"/root/authority.pem": b"PEM", PULL_LOGIN: LOGIN}))
    lines: list[str] = []
    with joining_alone(edge):
        token = settle(edge, answer, joined_site(answer, root="/srv/bundles"), lines.append)
        assert edge.files[token] == b"the-token"
        assert edge.modes[token] == 0o600
        assert token.startswith("/run/")
    assert token not in edge.files
    assert {path: edge.modes[path] for path in (EDGE_CONFIG, AUTHORITY, PULL_LOGIN)} == {
        EDGE_CONFIG: 0o600,
        AUTHORITY: 0o644,
        PULL_LOGIN: 0o600,
    }
    assert read_site(edge.files[EDGE_CONFIG], file="it").root == "/srv/bundles"
    assert edge.files[f"{EDGE_CONFIG}.earlier"] == b"mine"
    assert "site.yaml.earlier" in lines[0]
    assert b"the-token" not in b"".join(edge.files.values())


def test_joining_again_changes_nothing() -> None:
    edge = MemoryHost()
    answer = answer_of(MemoryHost({"/root/authority.pem": b"PEM", PULL_LOGIN: LOGIN}))
    settle(edge, answer, joined_site(answer), lambda _: None)
    before = dict(edge.files)
    settle(edge, answer, joined_site(answer), pytest.fail)
    assert edge.files == before


def test_an_interruption_leaves_no_token_nor_does_one_that_could_not_tidy_up() -> None:
    edge = MemoryHost()
    answer = answer_of(MemoryHost())

    def interrupted(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt), joining_alone(edge):
        interrupted(settle(edge, answer, joined_site(answer), lambda _: None))
    assert edge.files[EDGE_CONFIG] == joined_site(answer).content
    assert b"the-token" not in edge.files.values()
    token = "/run/kubeedge-bundler/join-token"
    edge.files[token] = b"of a time that was killed"
    with joining_alone(edge):
        assert token not in edge.files


def test_two_do_not_join_at_once_and_the_master_does_not_join_at_all() -> None:
    edge = MemoryHost(lock_taken=True)
    with pytest.raises(SiteError) as busy, joining_alone(edge):
        pytest.fail("not alone")
    assert busy.value.id is ErrorId.SITE_BUSY
    with pytest.raises(SiteError) as master, joining_alone(MemoryHost({AUTHORITY_KEY: b"key"})):
        pytest.fail("it is the master")
    assert master.value.id is ErrorId.SITE_UNMET


@pytest.mark.parametrize("change", ["unknown-key", "not-there", "the-cloud", "version"])
def test_a_site_that_is_none_is_refused(change: str) -> None:
    answer = answer_of(MemoryHost())
    site = dict(answer.site)
    if change == "unknown-key":
        site["later"] = 1
    if change == "version":
        site["version"] = 2
    host = {"not-there": "edge9", "the-cloud": "master"}.get(change, "edge1")
    with pytest.raises(SiteError) as refused:
        joined_site(replace(answer, host=host, site=site))
    assert refused.value.id is ErrorId.SITE_JOIN_BROKEN
