"""Name, repository, tools, mirror and images: planned on a fresh host, made once, undone to the byte."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bundler.errors import SiteError
from bundler.host.interface import CommandResult, HttpAnswer, Process
from bundler.model.client_config import RepoSnippet
from bundler.site.registry_files import PULL_LOGIN
from bundler.site.step_plan import plan_site
from bundler.site.steps.host_name import HostName
from bundler.site.steps.local_repository import LocalRepository
from bundler.site.steps.mirror_service import MirrorService
from bundler.site.steps.pushed_images import PushedImages
from bundler.site.steps.tools import HostTools
from tests.fakes.host import MemoryHost
from tests.unit.site.sites import EDGE1, SITE, applied, context, undone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.site.config.model import Role, SiteConfig
    from bundler.site.step import Step, StepContext

REPO_FILE = "/etc/yum.repos.d/bundler-site.repo"
UNIT_FILE = "/etc/systemd/system/kubeedge-mirror.service"
FILES = {"yum/unzip-6-1.x86_64.rpm": b"1", "yum-aarch64/wget-1-1.aarch64.rpm": b"2", "k8simage/index.json": b"{}"}
REPOSITORIES = (
    RepoSnippet("local", "Packages", "yum", ("RPM-GPG-KEY-a",), ("unzip.x86_64",)),
    RepoSnippet("local-aarch64", "Packages", "yum-aarch64", ()),
)
PASSWORD = "/etc/bundler/registry.password"


def on(host: MemoryHost, role: Role = "cloud", config: SiteConfig = SITE) -> StepContext:
    at = context(host, config, role=role, files=FILES)
    return replace(at, bundle=replace(at.bundle, repositories=REPOSITORIES))


def host_with(**files: bytes) -> MemoryHost:
    return MemoryHost({"/usr/bin/yum": b"", **files})


def weights(at: StepContext, step: Step) -> list[tuple[str, str]]:
    return [(finding.id, finding.weight) for finding in step.unmet(at)]


def unchanged_after(host: MemoryHost, at: StepContext, steps: Sequence[Step], role: Role = "cloud") -> list[str]:
    """Apply, apply again without a change, undo to the byte; return what was done the first time."""
    before = dict(host.files)
    host.learn(change for step in steps for change in step.changes(at))
    made = applied(at, steps, role)
    assert applied(at, steps, role) == []
    assert {plan.state for plan in plan_site(at, steps)} == {"done"}
    undone(at, steps, role)
    assert host.files == before
    return made


def test_the_name_is_given_to_kernel_and_file_and_both_get_back_what_they_had() -> None:
    host = host_with(**{"/etc/hostname": b"localhost.localdomain\n"})
    at = on(host, "edge")
    assert unchanged_after(host, at, (HostName(),), "edge") == ["hostname edge1", "edit /etc/hostname"]
    assert host.ran[0] == "hostname edge1"
    assert host.ran[-1] == "sh -c test ! -s /etc/hostname || hostname --file /etc/hostname"


def test_a_repository_of_ours_stands_beside_the_vendor_s_and_is_off() -> None:
    host = host_with(**{"/etc/yum.repos.d/CentOS-Base.repo": b"[base]\n"})
    at = on(host)
    made = applied(at, (LocalRepository(),))
    assert made == [f"write {REPO_FILE}"]
    lines = host.files[REPO_FILE].decode().splitlines()
    assert [line for line in lines if line.startswith(("[", "enabled", "baseurl", "gpg"))] == [
        "[bundler-site]",
        "baseurl=file:///opt/yum/",
        "enabled=0",
        "gpgcheck=1",
        "gpgkey=file:///opt/yum/RPM-GPG-KEY-a",
        "[bundler-site-unchecked]",
        "baseurl=file:///opt/yum/",
        "enabled=0",
        "gpgcheck=0",
    ]
    assert applied(at, (LocalRepository(),)) == []
    undone(at, (LocalRepository(),))
    assert REPO_FILE not in host.files
    assert host.files["/etc/yum.repos.d/CentOS-Base.repo"] == b"[base]\n"


@pytest.mark.parametrize(
    ("mirror", "url"),
    [
        (SITE.mirror, "http://master:8088/yum/"),
        (replace(SITE.mirror, http=8089), "http://master:8089/yum/"),
        (replace(SITE.mirror, packages="ftp"), "ftp://master/yum/"),
        (replace(SITE.mirror, packages="ftp", ftp=2121), "ftp://master:2121/yum/"),
    ],
)
def test_an_edge_takes_its_packages_from_the_mirror(mirror: Any, url: str) -> None:
    host = host_with()
    applied(on(host, "edge", replace(SITE, mirror=mirror)), (LocalRepository(),), "edge")
    assert f"baseurl={url}" in host.files[REPO_FILE].decode()


def test_a_machine_without_packages_and_a_host_without_yum_get_no_repository() -> None:
    arm = MemoryHost({"/usr/bin/dnf": b""}, machine_name="armv7l")
    assert weights(on(arm), LocalRepository()) == [("no-packages", "note")]
    plain = MemoryHost()
    assert weights(on(plain), LocalRepository()) == [("no-package-manager", "note")]
    for host in (arm, plain):
        assert applied(on(host), (LocalRepository(),)) == []
    other = MemoryHost({"/usr/bin/dnf": b""}, machine_name="aarch64")
    applied(on(other), (LocalRepository(),))
    assert "[bundler-site-aarch64]" in other.files[REPO_FILE].decode()


def test_a_repository_that_cannot_be_read_is_a_fault() -> None:
    host = host_with()
    command = ("yum", "-y", "--disablerepo=*", "--enablerepo=bundler-site*", "-q", "makecache")
    host.answers[command] = lambda _: CommandResult(1, "", "Error: Failed to download metadata\n")
    with pytest.raises(SiteError, match="cannot be used: Error: Failed to download metadata"):
        applied(on(host), (LocalRepository(),))


def test_tools_are_installed_as_far_as_the_bundle_has_them() -> None:
    host = host_with()
    at = on(host, "edge")
    (finding,) = HostTools().unmet(at)
    assert finding.weight == "note"
    assert "no bash-completion, vim-enhanced, wget, lrzsz, net-tools for this host" in finding.what
    assert unchanged_after(host, at, (HostTools(),), "edge") == ["install unzip"]
    assert HostTools().changes(on(MemoryHost(), "edge")) == ()


class Serving(MemoryHost):
    """A host on which `mirror service install` has a mirror run, which is well."""

    def run(self, command: Sequence[str], **how: Any) -> CommandResult:
        words = list(command)
        done = MemoryHost.run(self, command, **how)
        if words[:3] == ["mirror", "service", "install"]:
            self.files[UNIT_FILE] = f"[Service]\nExecStart=/opt/bin/mirror serve {' '.join(words[4:])}\n".encode()
            self.ports.add(("127.0.0.1", 8088))
            self.answer = HttpAnswer(200, "{}")
        elif words[:3] == ["mirror", "service", "remove"]:
            del self.files[UNIT_FILE]
            self.ports.clear()
        elif words[:1] == ["systemctl"]:
            return CommandResult(0 if UNIT_FILE in self.files else 3, "", "")
        return done


def test_the_mirror_is_a_service_in_place_of_vsftpd() -> None:
    host = Serving({"/usr/bin/yum": b""})
    assert unchanged_after(host, on(host), (MirrorService(),)) == ["mirror service install -- --root /opt"]
    other = on(host, config=replace(SITE, mirror=replace(SITE.mirror, http=8089, ftp=None)))
    command = MirrorService().changes(other)[0].title
    assert command == "mirror service install -- --root /opt --http :8089 --ftp off"


def test_a_mirror_of_ours_follows_the_site_and_one_of_somebody_else_s_is_left_alone() -> None:
    host = Serving({"/usr/bin/yum": b""})
    applied(on(host), (MirrorService(),))
    changed = on(host, config=replace(SITE, mirror=replace(SITE.mirror, ftp=None)))
    assert weights(changed, MirrorService()) == []
    assert applied(changed, (MirrorService(),))[0] == "mirror service install -- --root /opt --ftp off"
    undone(changed, (MirrorService(),))
    assert UNIT_FILE not in host.files
    host.run(("mirror", "service", "install", "--", "--root", "/srv"))
    assert weights(on(host), MirrorService()) == [("mirror-otherwise", "unmet")]
    host.root = False
    assert weights(on(host), MirrorService()) == []


def test_who_holds_the_mirror_s_ports_is_named_and_nobody_is_stopped() -> None:
    host = MemoryHost(
        ports={("0.0.0.0", 21), ("0.0.0.0", 8088)}, holders={21: 5}, running=[Process(5, "vsftpd", "S", "")]
    )
    vsftpd, other = MirrorService().unmet(on(host))
    assert (vsftpd.id, vsftpd.where, vsftpd.weight) == ("vsftpd-runs", "port 21", "unmet")
    assert "Harbor's password too" in vsftpd.what
    assert (other.id, other.what) == ("port-taken", "another program listens on it")
    assert host.ran == []
    off = on(host, config=replace(SITE, mirror=replace(SITE.mirror, ftp=None, http=8089)))
    assert weights(off, MirrorService()) == []


def test_a_mirror_that_does_not_come_up_is_told_with_its_log() -> None:
    host = MemoryHost(answer=HttpAnswer(503, '{"ready": false}'))
    log = ("journalctl", "--no-pager", "--quiet", "--output=cat", "--lines=12", "--unit=kubeedge-mirror.service")
    host.answers[log] = lambda _: CommandResult(0, "the disk is slow\n", "")
    host.ports.add(("127.0.0.1", 8088))
    host.files[UNIT_FILE] = b"ExecStart=/opt/bin/mirror serve --root /opt\n"
    with pytest.raises(SiteError, match="after 600 s: it answers 503") as raised:
        applied(on(host), (MirrorService(),))
    assert "the disk is slow" in raised.value.problems


def pushes(host: MemoryHost, *outcomes: str, policy: str = "--public") -> None:
    """Have the registry hold what a dry run says until something is pushed."""
    command = ["bundler", "push-images", "--root", "/opt", "--via", "registry", "--registry", "master", "--ca-file"]
    command += ["/etc/bundler/ca/ca.crt", "--username", "admin", "--password-stdin", policy]
    state = {"outcomes": outcomes}

    def dry(host: MemoryHost) -> CommandResult:
        del host
        return CommandResult(
            0, json.dumps({"images": [{"outcome": one, "project": "library"} for one in state["outcomes"]]}), ""
        )

    def push(host: MemoryHost) -> CommandResult:
        host.ran.append("push")
        state["outcomes"] = ("present",)
        return CommandResult(0, "", "")

    host.answers[*command, "--dry-run", "--json"] = dry
    host.answers[*command, "--wait", "300"] = push


def test_images_are_pushed_until_a_dry_run_finds_all_of_them() -> None:
    host = MemoryHost({PASSWORD: b"s3cret\n"}, modes={PASSWORD: 0o600})
    pushes(host, "missing", "present")
    at = on(host)
    (plan,) = plan_site(at, (PushedImages(),))
    # nothing listens yet: a fresh host
    assert (plan.state, plan.changes[0].title) == ("to-do", "push the bundle's images to master")
    assert "s3cret" not in repr(plan)
    assert "--password-stdin --public --wait 300    # the password comes on stdin" in plan.changes[0].lines[0]
    host.ports.add(("master", 443))
    assert applied(at, (PushedImages(),)) == ["push the bundle's images to master"]
    assert applied(at, (PushedImages(),)) == []
    assert undone(at, (PushedImages(),)) == ["leave as it is: images stay in master (delete them there)"]
    assert host.ran == ["push"]
    assert "s3cret" not in repr(PushedImages().changes(at))


def test_edges_of_a_private_harbor_get_a_login_that_can_only_pull() -> None:
    host = MemoryHost({PASSWORD: b"s3cret\n"}, modes={PASSWORD: 0o600}, ports={("master", 443)})
    pushes(host, "present", policy="--private")
    at = on(host, config=replace(SITE, registry=replace(SITE.registry, public=False)))
    robot = ["bundler", "robot", "create", "--registry", "master", "--ca-file", "/etc/bundler/ca/ca.crt", "--username"]
    robot += ["admin", "--password-stdin", "-o", PULL_LOGIN, "--project", "library"]

    def make(host: MemoryHost) -> CommandResult:
        MemoryHost.write(host, PULL_LOGIN, b'{"auths": {"master": {}}}', 0o600)
        return CommandResult(0, "", "")

    host.answers[tuple(robot)] = make
    (plan,) = plan_site(at, (PushedImages(),))
    assert [change.title for change in plan.changes] == [f"make the login that edges pull with, {PULL_LOGIN}"]
    assert "s3cret" not in repr(plan)
    assert applied(at, (PushedImages(),)) == [f"make the login that edges pull with, {PULL_LOGIN}"]
    assert applied(at, (PushedImages(),)) == []
    host.modes[PULL_LOGIN] = 0o644
    assert plan_site(at, (PushedImages(),))[0].state == "to-do"
    host.failing[tuple(robot)] = CommandResult(7, "", "error: no right\n")
    with pytest.raises(SiteError, match="no right"):
        applied(at, (PushedImages(),))
    host.succeeding.add(("test", "-e", PULL_LOGIN))
    assert any("robot account stays" in line for line in undone(at, (PushedImages(),)))


def test_a_password_that_others_may_read_is_refused() -> None:
    host = MemoryHost({PASSWORD: b"s3cret"}, modes={PASSWORD: 0o640})
    (finding,) = PushedImages().unmet(on(host))
    assert (finding.id, finding.weight) == ("password-open", "unmet")
    assert "--password-stdin" not in PushedImages().changes(on(host))[0].describe(host)
    host.root = False
    assert PushedImages().unmet(on(host)) == ()
    host.root = True
    del host.files[PASSWORD]
    (finding,) = PushedImages().unmet(on(host))
    assert (finding.id, finding.weight) == ("password-missing", "note")


def test_how_the_registry_is_reached_is_the_site_s() -> None:
    registry = replace(SITE.registry, kind="existing", host="reg.plant", port=5000, https=False, project="edge")
    registry = replace(registry, username="", password_file="", public=False)
    host = MemoryHost()
    (change,) = PushedImages().changes(on(host, config=replace(SITE, registry=registry)))
    assert change.describe(host).splitlines()[1].strip() == (
        "bundler push-images --root /opt --via registry --registry reg.plant:5000 --plain-http"
        " --project edge --private --wait 300"
    )
    mirror = on(host, config=replace(SITE, registry=replace(registry, kind="mirror")))
    assert PushedImages().changes(mirror) == ()
    assert weights(mirror, PushedImages()) == [("registry-is-mirror", "note")]
    none = replace(mirror, bundle=replace(mirror.bundle, digests={}), config=SITE)
    assert weights(none, PushedImages()) == [("no-images", "note")]
    assert EDGE1.name == "edge1"
