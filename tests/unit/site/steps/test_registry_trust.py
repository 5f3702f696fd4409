"""An edge trusts the registry by what the master gave it, and asks for that where it is not there."""

from __future__ import annotations

import json
from dataclasses import replace

from bundler.model.robot import RobotLogin, client_config
from bundler.site.config.model import RegistrySettings
from bundler.site.invitation.joining import joined_site
from bundler.site.invitation.offering import join_answer
from bundler.site.registry_files import AUTHORITY, DOCKER_LOGINS, PULL_LOGIN
from bundler.site.step_plan import plan_site
from bundler.site.steps.registry_trust import RegistryTrust
from tests.fakes.host import MemoryHost
from tests.unit.site.sites import SITE, applied, context, undone

STEPS = (RegistryTrust(),)
LOGIN = client_config(("registry.plant:5443",), RobotLogin("robot$edge-pull", "s3cret"))
PRIVATE = replace(SITE, registry=RegistrySettings(host="registry.plant", port=5443, public=False))
TRUST = "/etc/docker/certs.d/registry.plant:5443/ca.crt"


def test_what_only_the_master_can_give_is_named_and_planned() -> None:
    host = MemoryHost(host_name="edge1")
    (plan,) = plan_site(context(host, PRIVATE, role="edge"), STEPS)
    assert (plan.state, [finding.id for finding in plan.findings]) == ("unmet", ["ca-missing", "login-missing"])
    assert [change.title for change in plan.changes] == [f"edit {TRUST}", f"edit {DOCKER_LOGINS}"]
    host.files[PULL_LOGIN] = LOGIN
    assert "others than its owner" in plan_site(context(host, PRIVATE, role="edge"), STEPS)[0].findings[1].what


def test_authority_and_login_come_to_where_docker_looks_and_go_again() -> None:
    mine = b'{"auths": {"other": {"auth": "x"}}}'
    host = MemoryHost({AUTHORITY: b"a certificate", PULL_LOGIN: LOGIN, DOCKER_LOGINS: mine})
    host.modes = {PULL_LOGIN: 0o600, DOCKER_LOGINS: 0o644}
    at = context(host, PRIVATE, role="edge")
    before = dict(host.files)
    assert applied(at, STEPS, "edge") == [f"edit {TRUST}", f"edit {DOCKER_LOGINS}"]
    assert host.files[TRUST] == b"a certificate"
    assert set(json.loads(host.files[DOCKER_LOGINS])["auths"]) == {"other", "registry.plant:5443"}
    assert host.modes[DOCKER_LOGINS] == 0o600
    assert applied(at, STEPS, "edge") == []
    undone(at, STEPS, "edge")
    assert host.files == before
    assert host.modes[DOCKER_LOGINS] == 0o644


def test_another_authority_of_the_master_is_followed() -> None:
    host = MemoryHost({AUTHORITY: b"one"})
    applied(context(host, role="edge"), STEPS, "edge")
    host.files[AUTHORITY] = b"two"
    assert applied(context(host, role="edge"), STEPS, "edge") == ["edit /etc/docker/certs.d/master/ca.crt"]


def test_an_edge_that_was_invited_trusts_the_authority_of_a_registry_that_was_there() -> None:
    registry = RegistrySettings(kind="existing", host="r.plant", ca_file="/root/authority.pem")
    master = MemoryHost({"/root/authority.pem": b"its authority"})
    site = replace(SITE, registry=registry)
    given = join_answer(master, site, edge="edge1", bundle="", token=lambda: "token")
    edge = MemoryHost({AUTHORITY: given.registry_ca.encode()})
    applied(context(edge, joined_site(given).config, role="edge"), STEPS, "edge")
    assert edge.files["/etc/docker/certs.d/r.plant/ca.crt"] == b"its authority"


def test_nothing_is_needed_without_tls_in_public_or_for_a_registry_that_systems_trust() -> None:
    for registry in (
        RegistrySettings(https=False),
        RegistrySettings(kind="mirror"),
        RegistrySettings(kind="existing", host="r.plant"),
    ):
        at = context(MemoryHost(), replace(SITE, registry=registry), role="edge")
        assert (list(RegistryTrust().unmet(at)), list(RegistryTrust().changes(at))) == ([], [])
    known = RegistrySettings(kind="existing", host="r.plant", ca_file="/somewhere/ca.crt")
    at = context(MemoryHost(), replace(SITE, registry=known), role="edge")
    assert [finding.id for finding in RegistryTrust().unmet(at)] == ["ca-missing"]
