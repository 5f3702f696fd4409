"""The service's steps on real programs: systemd's own check of the unit, logrotate's text, iptables in a namespace."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bundler.host.file_changes import WriteFile
from bundler.host.local_host import LocalHost
from bundler.host.marked_lines import with_block
from mirror.service.facts import Facts
from mirror.service.install_plan import UNIT_FILE, InstallOptions, install_plan
from mirror.service.installation import install, remove
from mirror.service.saved_rules import IN_FILTER_TABLE, MARKS
from tests.fakes.host import MemoryHost
from tests.integration.demo_bundle import demo_bundle
from tests.unit.mirror.service.test_install_plan import options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bundler.host.interface import CommandResult

pytestmark = pytest.mark.integration

FACTS = Facts(True, False, ("iptables", "ip6tables"), (), False, True, sys.executable)


def test_systemd_understands_every_line_of_the_unit(tmp_path: Path) -> None:
    wanted = options("--root", str(tmp_path), "--share", f"/iso={tmp_path}/iso $HOME 100%")
    (unit,) = (s for s in install_plan(FACTS, wanted) if isinstance(s, WriteFile) and s.path == UNIT_FILE)
    file = tmp_path / Path(UNIT_FILE).name
    file.write_bytes(unit.content)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True, check=False
    )
    about_ours = [line for line in done.stderr.splitlines() if file.name in line]
    assert about_ours == []
    file.write_bytes(unit.content.replace(b"PrivateDevices=yes", b"PrivateDevises=yes"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True, check=False
    )
    assert "PrivateDevises" in done.stderr


def test_systemd_finds_little_that_the_service_could_do_to_the_host(tmp_path: Path) -> None:
    (unit,) = (s for s in install_plan(FACTS, options()) if isinstance(s, WriteFile) and s.path == UNIT_FILE)
    file = tmp_path / Path(UNIT_FILE).name
    file.write_bytes(unit.content)
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


class NamespacedHost(MemoryHost):
    """Files in memory, packet filters in a network namespace of the test's own, everything else as in memory."""

    namespace = ""

    def run(self, command: Sequence[str], **how: Any) -> CommandResult:
        if command[0] in ("iptables", "ip6tables"):
            return LocalHost().run(("ip", "netns", "exec", self.namespace, *command))
        return MemoryHost.run(self, command, **how)


@pytest.fixture
def host() -> Iterator[NamespacedHost]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces want root")
    name = f"mirror-{uuid.uuid4().hex[:8]}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        made = NamespacedHost()
        made.namespace = name
        yield made
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


def rules(host: NamespacedHost, tool: str = "iptables") -> list[str]:
    return host.run((tool, "-w", "-S")).stdout.splitlines()


def installed(host: NamespacedHost, wanted: InstallOptions) -> None:
    install(host, FACTS, install_plan(FACTS, wanted), wanted.settings, lambda _: None)


def test_rules_are_made_once_changed_and_taken_away(host: NamespacedHost) -> None:
    host.run(("iptables", "-w", "-A", "INPUT", "-s", "203.0.113.9", "-j", "DROP"))
    before, before6 = rules(host), rules(host, "ip6tables")
    wanted = options("--ftp", "off", "--allow", "198.51.100.0/24", open_firewall=True)
    for _ in range(2):
        installed(host, wanted)
        assert rules(host) == [
            *before[:3],
            "-N KUBEEDGE-MIRROR",
            "-A INPUT -j KUBEEDGE-MIRROR",
            before[3],
            "-A KUBEEDGE-MIRROR -s 198.51.100.0/24 -p tcp -m tcp --dport 8088 -j ACCEPT",
        ]
    assert rules(host, "ip6tables") == before6
    installed(host, options(open_firewall=True))
    assert "-A KUBEEDGE-MIRROR -p tcp -m tcp --dport 21100:21299 -j ACCEPT" in rules(host, "ip6tables")
    assert "198.51.100.0/24" not in "".join(rules(host))
    remove(host, lambda _: None)
    assert (rules(host), rules(host, "ip6tables")) == (before, before6)


def test_a_host_that_was_started_anew_has_no_chain_to_take_away(host: NamespacedHost) -> None:
    before = rules(host)
    installed(host, options("--ftp", "off", open_firewall=True))
    for tool in ("iptables", "ip6tables"):
        for words in (("-D", "INPUT", "-j", "KUBEEDGE-MIRROR"), ("-F", "KUBEEDGE-MIRROR"), ("-X", "KUBEEDGE-MIRROR")):
            assert host.run((tool, "-w", *words)).code == 0
    assert remove(host, lambda _: None)
    assert (rules(host), host.files) == (before, {})


def test_saved_rules_are_what_iptables_restores(host: NamespacedHost, tmp_path: Path) -> None:
    text = subprocess.run(
        ["ip", "netns", "exec", host.namespace, "iptables-save"], capture_output=True, text=True, check=True
    ).stdout
    assert "*filter" not in text or ":INPUT" in text
    lines = (
        ":KUBEEDGE-MIRROR - [0:0]",
        "-A KUBEEDGE-MIRROR -p tcp --dport 8088 -j ACCEPT",
        "-I INPUT -j KUBEEDGE-MIRROR",
    )
    for saved in (text, "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p icmp -j ACCEPT\nCOMMIT\n"):
        file = tmp_path / "rules"
        file.write_bytes(with_block(saved.encode(), lines, MARKS, IN_FILTER_TABLE))
        subprocess.run(
            ["ip", "netns", "exec", host.namespace, "iptables-restore", str(file)], check=True, capture_output=True
        )
        listed = rules(host)
        assert listed.index("-A INPUT -j KUBEEDGE-MIRROR") < listed.index(
            "-A KUBEEDGE-MIRROR -p tcp -m tcp --dport 8088 -j ACCEPT"
        )


def test_the_mirror_lives_with_the_rights_that_the_unit_leaves(host: NamespacedHost, tmp_path: Path) -> None:
    """On its usual ports, from a directory that is root's alone, with workers to be stopped; systemd is told."""
    tree = demo_bundle(tmp_path)
    tmp_path.chmod(0o700)
    arguments = ("--root", str(tree), "--workers", "1", "--access-log", str(tmp_path / "access.log"))
    (unit,) = (s for s in install_plan(FACTS, options(*arguments)) if isinstance(s, WriteFile) and s.path == UNIT_FILE)
    said = dict(line.partition("=")[::2] for line in unit.content.decode().splitlines())
    kept = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in said["CapabilityBoundingSet"].split())
    subprocess.run(["ip", "-n", host.namespace, "link", "set", "lo", "up"], check=True)
    within = ["ip", "netns", "exec", host.namespace]
    limited = ["setpriv", f"--bounding-set=-all,{kept}", "--no-new-privs", *shlex.split(said["ExecStart"])]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(60)
        manager.bind(str(tmp_path / "notify"))
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with subprocess.Popen([*within, *limited], env=environment, stdout=subprocess.DEVNULL) as mirror:
            try:
                while b"READY=1" not in manager.recv(4096):
                    pass
                verify = [sys.executable, "-m", "mirror", "verify", "http://127.0.0.1:8088", "ftp://127.0.0.1"]
                done = subprocess.run(
                    [*within, *verify, "--root", str(tree)], capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, done.stdout + done.stderr
            finally:
                mirror.terminate()
            assert mirror.wait(60) == 0
    assert "/docs/notes.txt" in (tmp_path / "access.log").read_text()


def test_dry_run_shows_all_and_changes_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mirror", "service", "install", "--dry-run", "--", "--root", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"write {UNIT_FILE}" in done.stdout
    assert f"    ExecStart={sys.executable} -I -m mirror serve --root {tmp_path}" in done.stdout
    assert "systemctl enable kubeedge-mirror.service" in done.stdout
    assert not Path(UNIT_FILE).exists()
