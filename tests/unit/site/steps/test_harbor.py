"""docker-compose and Harbor: what is in the way, what is made of what, and that a second time does nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bundler.errors import SiteError
from bundler.host.interface import CommandResult, HttpAnswer, ListeningPort, Process
from bundler.manifest.yaml_edit import read_plain
from bundler.site.certificates import CERTIFICATE_DAYS, issued, new_authority, new_key
from bundler.site.config.model import RegistrySettings
from bundler.site.registry_files import AUTHORITY, REGISTRY_CERTIFICATE, REGISTRY_KEY
from bundler.site.step_plan import plan_site
from bundler.site.steps.compose import COMPOSE, ComposeProgram
from bundler.site.steps.harbor_registry import HarborRegistry
from tests.fakes.host import MemoryHost
from tests.unit.site.harbor_template import TEMPLATE
from tests.unit.site.sites import SITE, applied, context, undone

if TYPE_CHECKING:
    from bundler.site.config.model import SiteConfig
    from bundler.site.step import StepContext

INSTALLER = "harbor-offline-installer-v2.5.0.tgz"
PASSWORD_FILE = "/etc/bundler/registry.password"
SECRET = "Plant-1234"
DIRECTORY = "/opt/harbor"
YML = f"{DIRECTORY}/harbor.yml"
STEPS = (HarborRegistry(),)
HEALTHY = HttpAnswer(200, json.dumps({"status": "healthy", "components": [{"name": "core", "status": "healthy"}]}))
PLAIN = replace(SITE, registry=RegistrySettings(https=False))
COMPOSED = ("docker-compose", "--file", f"{DIRECTORY}/docker-compose.yml")
TAR = (
    *("tar", "-xzf", f"/opt/{INSTALLER}", "-C", DIRECTORY, "--strip-components=1", "--no-same-owner"),
)  # fmt: skip


def harbor_host(port: int = 443) -> MemoryHost:
    """Return a host on which the installer's commands bring about what they do."""
    host = MemoryHost({PASSWORD_FILE: f"{SECRET}\n".encode()}, modes={PASSWORD_FILE: 0o600})

    def unpack(host: MemoryHost) -> CommandResult:
        for name in ("install.sh", "harbor.v2.5.0.tar.gz"):
            host.files[f"{DIRECTORY}/{name}"] = b""
        host.files[f"{YML}.tmpl"] = TEMPLATE
        return CommandResult(0, "", "")

    def install(host: MemoryHost) -> CommandResult:
        assert host.modes[YML] == 0o600
        host.ran.append("install.sh")
        host.files[f"{DIRECTORY}/docker-compose.yml"] = b"x"
        host.ports.add(("127.0.0.1", port))
        host.answer = HEALTHY
        return CommandResult(0, "", "")

    def containers(host: MemoryHost) -> CommandResult:
        ups = [line for line in host.ran if line == "install.sh" or line.endswith(" down")]
        return CommandResult(0, "abc\n" if ups and ups[-1] == "install.sh" else "", "")

    host.answers = {
        TAR: unpack,
        (f"{DIRECTORY}/install.sh",): install,
        (*COMPOSED, "ps", "--quiet"): containers,
    }
    return host


def at_work(host: MemoryHost, config: SiteConfig = SITE) -> StepContext:
    return context(host, config, files={INSTALLER: b"an archive"})


def findings(at: StepContext) -> dict[str, str]:
    return {finding.id: finding.what for finding in HarborRegistry().unmet(at) if finding.weight == "unmet"}


def test_a_plan_on_a_fresh_host_shows_every_change_and_no_password() -> None:
    host = harbor_host()
    (plan,) = plan_site(at_work(host), STEPS)
    assert plan.state == "to-do"
    assert [change.title.split()[0] for change in plan.changes] == [
        *("unpack", "make", "make", "issue", "edit", "edit"),
        *(f"{DIRECTORY}/install.sh", "wait"),
    ]
    shown = "\n".join(line for change in plan.changes for line in change.lines)
    assert SECRET not in shown
    assert f"(what {PASSWORD_FILE} holds)" in shown
    assert host.ran == []


def test_with_tls_it_is_installed_once() -> None:
    host = harbor_host()
    applied(at_work(host), STEPS)
    meant = read_plain(host.files[YML])
    assert (meant["hostname"], meant["harbor_admin_password"]) == ("master", SECRET)
    assert meant["https"] == {"port": 443, "certificate": REGISTRY_CERTIFICATE, "private_key": REGISTRY_KEY}
    assert (host.modes[YML], host.modes[REGISTRY_KEY]) == (0o600, 0o600)
    assert host.files["/etc/docker/certs.d/master/ca.crt"] == host.files[AUTHORITY]
    assert host.ran.count("install.sh") == 1
    assert applied(at_work(host), STEPS) == []
    assert host.ran.count("install.sh") == 1
    assert all(SECRET.encode() not in data for path, data in host.files.items() if "journal" in path)


def test_without_tls_there_is_no_certificate_and_no_trust() -> None:
    host = harbor_host(80)
    applied(at_work(host, PLAIN), STEPS)
    assert "https" not in read_plain(host.files[YML])
    assert not {AUTHORITY, REGISTRY_KEY, "/etc/docker/certs.d/master/ca.crt"} & host.files.keys()
    assert [finding.id for finding in HarborRegistry().unmet(at_work(host, PLAIN))] == ["registry-plain"]


def test_the_installer_runs_without_a_variable_that_renames_the_registry() -> None:
    environments = []

    class Watched(MemoryHost):
        def run(self, command, *, environment=(), **rest):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN003, ANN202
            environments.append((command[0], dict(environment)))
            return MemoryHost.run(self, command, environment=environment, **rest)

    plain = harbor_host()
    host = Watched(plain.files, plain.modes, answers=plain.answers)
    applied(at_work(host), STEPS)
    assert (f"{DIRECTORY}/install.sh", {"host": ""}) in environments


def test_undo_ends_its_containers_and_leaves_data_and_authority() -> None:
    host = harbor_host()
    applied(at_work(host), STEPS)
    lines = undone(at_work(host), STEPS)
    assert f"docker-compose --file {DIRECTORY}/docker-compose.yml down" in lines
    assert any("Harbor's data in /data" in line for line in lines)
    assert YML not in host.files
    host.ports.clear()
    assert "/etc/docker/certs.d/master/ca.crt" not in host.files
    assert AUTHORITY in host.files
    assert f"{DIRECTORY}/install.sh" in applied(at_work(host), STEPS)


def test_containers_that_somebody_took_away_are_made_again() -> None:
    host = harbor_host()
    applied(at_work(host), STEPS)
    host.ran.append(" ".join((*COMPOSED, "down")))
    assert applied(at_work(host), STEPS) == [f"{DIRECTORY}/install.sh"]


def test_what_is_interrupted_goes_on_where_it_was() -> None:
    host = harbor_host()
    install = host.answers[(f"{DIRECTORY}/install.sh",)]
    host.answers[f"{DIRECTORY}/install.sh",] = lambda _: CommandResult(1, "", "no space left on device\n")
    with pytest.raises(SiteError, match="no space left") as raised:
        applied(at_work(host), STEPS)
    assert raised.value.remedy.startswith("Make room where docker keeps its images")
    # prepare has written it, and nothing runs
    host.files[f"{DIRECTORY}/docker-compose.yml"] = b"x"
    host.answers[f"{DIRECTORY}/install.sh",] = install
    assert [line.split()[0] for line in applied(at_work(host), STEPS)] == [f"{DIRECTORY}/install.sh"]
    assert applied(at_work(host), STEPS) == []


def test_an_archive_that_was_unpacked_in_part_is_unpacked_again() -> None:
    host = harbor_host()
    host.files[f"{DIRECTORY}/install.sh"] = b"half"
    assert "unpack" in applied(at_work(host), STEPS)[0]


def test_a_new_certificate_is_brought_to_harbor() -> None:
    host = harbor_host()
    applied(at_work(host), STEPS)
    host.time += (CERTIFICATE_DAYS - 10) * 86400.0
    assert applied(at_work(host), STEPS) == [
        f"issue the certificate {REGISTRY_CERTIFICATE}",
        f"{DIRECTORY}/install.sh",
    ]
    host.files[PASSWORD_FILE] = b"another one\n"
    assert applied(at_work(host), STEPS) == [f"edit {YML}", f"{DIRECTORY}/install.sh"]


def test_a_harbor_that_does_not_become_healthy_names_what_is_ill() -> None:
    host = harbor_host()
    install = host.answers[(f"{DIRECTORY}/install.sh",)]

    def ill(host: MemoryHost) -> CommandResult:
        done = install(host)
        components = [{"name": "core", "status": "healthy"}, {"name": "database", "status": "unhealthy"}]
        host.answer = HttpAnswer(200, json.dumps({"status": "unhealthy", "components": components}))
        return done

    host.answers[f"{DIRECTORY}/install.sh",] = ill
    with pytest.raises(SiteError, match="after 300 s: database is unhealthy"):
        applied(at_work(host), STEPS)
    host.answer = HttpAnswer(502, "<html>")
    with pytest.raises(SiteError, match="answers 502, and is not Harbor's"):
        applied(at_work(host), STEPS)
    host.answer = HEALTHY
    assert applied(at_work(host), STEPS) == []


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (None, 0o600, "is not there"),
        (b"secret\n", 0o644, "others than its owner may read or write it (mode 0644)"),
        (b"\n", 0o600, "is empty"),
        (b"a\nb\n", 0o600, "more than one line"),
        (b"\xff\n", 0o600, "is not UTF-8"),
        (b"x" * 5000, 0o600, "is larger than"),
    ],
)
def test_a_password_comes_from_a_file_of_its_owner_s_alone(content: bytes | None, mode: int, words: str) -> None:
    host = harbor_host()
    del host.files[PASSWORD_FILE]
    if content is not None:
        host.files[PASSWORD_FILE] = content
    host.modes[PASSWORD_FILE] = mode
    assert words in findings(at_work(host))["password-unusable"]


def test_a_given_pair_is_looked_at_for_harbor_looks_at_nothing() -> None:
    host = harbor_host()
    authority_key, key = new_key(), new_key()
    authority = new_authority(authority_key, "theirs", host.time)
    given = replace(SITE, registry=RegistrySettings(certificate="/c.crt", private_key="/c.key", ca_file="/ca.crt"))
    assert set(findings(at_work(host, given))) == {"certificate-unfit", "ca-missing"}
    host.files.update({"/c.crt": b"garbage", "/c.key": b"garbage", "/ca.crt": authority})
    assert findings(at_work(host, given)) == {"certificate-unfit": "the certificate cannot be read: it is no PEM"}
    host.files["/c.crt"] = issued(authority, authority_key, key, ["elsewhere"], host.time)
    host.files["/c.key"] = new_key()
    assert {finding.what for finding in HarborRegistry().unmet(at_work(host, given)) if finding.weight == "unmet"} == {
        "the private key is another certificate's",
        "it is not for master",
    }
    host.files["/c.crt"] = issued(authority, authority_key, key, ["master"], host.time)
    host.files["/c.key"] = key
    notes = HarborRegistry().unmet(at_work(host, given))
    assert [(finding.weight, finding.what) for finding in notes] == [
        ("note", "it is not for 192.0.2.1, 198.51.100.1; images go by master")
    ]
    applied(at_work(host, given), STEPS)
    assert read_plain(host.files[YML])["https"]["certificate"] == "/c.crt"
    assert host.files["/etc/docker/certs.d/master/ca.crt"] == authority
    assert AUTHORITY not in host.files


def test_who_has_harbor_s_ports_is_named_unless_harbor_has_them() -> None:
    class Listening(MemoryHost):
        def listening(self) -> tuple[ListeningPort, ...]:
            return (ListeningPort("0.0.0.0", 80, 7), ListeningPort("::", 443, 8), ListeningPort("::", 22, 9))

    host = Listening(harbor_host().files, {PASSWORD_FILE: 0o600})
    host.running = [Process(7, "httpd", "S", ""), Process(8, "docker-proxy", "S", ""), Process(9, "sshd", "S", "")]
    assert findings(at_work(host)) == {"port-taken": "port 80 is taken by httpd (process 7)"}
    host.ports, host.answer = {("127.0.0.1", 443)}, HEALTHY
    assert findings(at_work(host)) == {}


def test_what_the_bundle_lacks_or_must_not_list_is_named() -> None:
    host = harbor_host()
    assert "no installer" in findings(context(host))["installer-missing"]
    published = context(host, files={INSTALLER: b"", "harbor/harbor.yml": b""})
    assert "the mirror would serve them" in findings(published)["harbor-published"]
    host.files[YML] = TEMPLATE.replace(b"2.5.0", b"2.4.1")
    assert findings(at_work(host))["harbor-other-version"] == "is version 2.4.1's, and the bundle brings 2.5.0"


def test_another_registry_needs_none_of_it() -> None:
    for registry in (RegistrySettings(kind="mirror"), RegistrySettings(kind="existing", host="r.plant")):
        host = MemoryHost()
        at = at_work(host, replace(SITE, registry=registry))
        assert applied(at, (ComposeProgram(), HarborRegistry())) == []
        assert {plan.state for plan in plan_site(at, (ComposeProgram(), HarborRegistry()))} == {"done"}


def test_of_a_registry_that_was_there_only_its_authority_is_taken() -> None:
    registry = RegistrySettings(kind="existing", host="r.plant", port=5443, ca_file="/r/ca.crt")
    host = MemoryHost()
    at = at_work(host, replace(SITE, registry=registry))
    assert set(findings(at)) == {"ca-missing"}
    host.files["/r/ca.crt"] = b"theirs"
    assert applied(at, STEPS) == ["edit /etc/docker/certs.d/r.plant:5443/ca.crt"]
    assert host.files["/etc/docker/certs.d/r.plant:5443/ca.crt"] == b"theirs"


@pytest.mark.parametrize("name", ["docker-compose-Linux-x86_64", "tools/docker-compose-linux-x86_64"])
def test_compose_comes_from_the_bundle_and_may_be_run(name: str) -> None:
    host = MemoryHost()
    at = context(host, files={name: b"a program"})
    ask = ("docker-compose", "--version")
    host.answers[ask] = lambda host: CommandResult(
        *((0, "docker-compose version 1.29.2, build 5") if COMPOSE in host.files else (127, "")), ""
    )
    assert applied(at, (ComposeProgram(),)) == [f"copy /opt/{name} to {COMPOSE}"]
    assert (host.files[COMPOSE], host.modes[COMPOSE]) == (b"a program", 0o755)
    assert applied(at, (ComposeProgram(),)) == []
    host.answers[ask] = lambda _: CommandResult(0, "docker-compose version 1.17.0, build 5", "")
    (plan,) = plan_site(at, (ComposeProgram(),))
    assert (plan.state, plan.findings[0].what) == ("faulty", "is version 1.17.0; Harbor wants 1.18")
    undone(at, (ComposeProgram(),))
    assert COMPOSE not in host.files


def test_a_bundle_without_compose_for_this_machine_is_named() -> None:
    host = MemoryHost(machine_name="aarch64")
    host.answers["docker-compose", "--version"] = lambda _: CommandResult(127, "", "")
    at = context(host, files={"docker-compose-Linux-x86_64": b""})
    assert [finding.id for finding in ComposeProgram().unmet(at)] == ["compose-missing"]
