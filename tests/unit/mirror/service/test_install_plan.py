"""What installing the service would do on hosts of several kinds."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TypeGuard

import click
import pytest

from bundler.errors import ErrorId, ServeError, ToolMissingError
from bundler.host.changes import RunCommand
from bundler.host.file_changes import KeepLines, WriteFile
from mirror.cli.serve import serve_settings
from mirror.service.facts import Facts
from mirror.service.firewall import CHAIN
from mirror.service.install_plan import UNIT_FILE, InstallOptions, install_plan
from mirror.service.unit import unit_word

HOST = Facts(
    systemd=True, firewalld=False, filters=("iptables", "ip6tables"), saved_rules=(), selinux=False, logrotate=True,
    interpreter="/usr/bin/python3.11",
)  # fmt: skip
# systemd's NEWS: the version in which each directive, or the value that is used of it, came; 0 is before 208
KNOWN_SINCE = {
    **dict.fromkeys(
        ("Description", "Wants", "After", "Type", "NotifyAccess", "ExecStart", "ExecReload", "TimeoutStartSec",
         "TimeoutStopSec", "Restart", "RestartSec", "WorkingDirectory", "UMask", "LimitNOFILE", "CapabilityBoundingSet",
         "PrivateTmp", "NoNewPrivileges", "WantedBy"), 0),
    "KillMode": 209, "PrivateDevices": 209, "SystemCallArchitectures": 209, "RestrictAddressFamilies": 211,
    "ProtectSystem": 214, "ProtectHome": 214, "SystemCallErrorNumber": 209,
    "RestrictRealtime": 231, "ProtectKernelTunables": 232, "ProtectKernelModules": 232, "ProtectControlGroups": 232,
    "RestrictNamespaces": 233, "LockPersonality": 235, "PrivateMounts": 239, "ProtectHostname": 242,
    "RestrictSUIDSGID": 242, "ProtectKernelLogs": 244, "ProtectClock": 245, "ProtectProc": 247,
    # the directive is older, its groups of calls are not
    "SystemCallFilter": 231,
}  # fmt: skip
EL7_SYSTEMD = 219


def options(*arguments: str, **more: object) -> InstallOptions:
    given = ("--root", "/opt", *arguments) if "--root" not in arguments else arguments
    return InstallOptions(given, serve_settings(given), **more)  # type: ignore[arg-type]


def unit(facts: Facts = HOST, *arguments: str) -> dict[str, str]:
    (text,) = (step.content.decode() for step in install_plan(facts, options(*arguments)) if _is_unit(step))
    return dict(line.partition("=")[::2] for line in text.splitlines() if "=" in line)


def _is_unit(step: object) -> TypeGuard[WriteFile]:
    return isinstance(step, WriteFile) and step.path == UNIT_FILE


def commands(facts: Facts, wanted: InstallOptions) -> list[str]:
    return [shlex.join(step.command) for step in install_plan(facts, wanted) if isinstance(step, RunCommand)]


def test_every_directive_is_known_to_systemd_of_el7_but_those_that_are_named_apart() -> None:
    (text,) = (step.content.decode() for step in install_plan(HOST, options("--verify")) if _is_unit(step))
    _, _, later = text.partition("# systemd 219 (EL7) knows none of the following")
    apart = {line.partition("=")[0] for line in later.partition("[Install]")[0].splitlines() if "=" in line}
    found = unit(HOST, "--verify")
    assert set(found) <= set(KNOWN_SINCE)
    assert apart == {name for name in found if KNOWN_SINCE[name] > EL7_SYSTEMD}
    # 219 ignores names that it does not know: of what is denied nothing is left, of what is allowed nothing would be
    assert found["SystemCallFilter"].startswith("~@")
    assert found["ProtectSystem"] == "full"
    assert "infinity" not in found.values()


def test_a_tool_that_a_bundle_brings_is_started_by_its_launcher() -> None:
    brought = replace(HOST, interpreter="/opt/kit-1/runtime/x86_64/bin/python3", launcher="/opt/a kit/bin/mirror")
    assert unit(brought)["ExecStart"] == '"/opt/a kit/bin/mirror" serve --root /opt'


def test_the_unit_runs_the_very_command_line() -> None:
    found = unit(HOST, "--http", "[::1]:80", "--share", "/iso=/srv/iso images")
    assert found["ExecStart"] == (
        '/usr/bin/python3.11 -I -m mirror serve --root /opt --http [::1]:80 --share "/iso=/srv/iso images"'
    ).replace("[::1]:80", '"[::1]:80"')
    assert found["Type"] == "notify"
    assert found["ExecReload"] == "/bin/kill -HUP $MAINPID"


@pytest.mark.parametrize(
    ("text", "word"),
    [("/opt", "/opt"), ("100%", "100%%"), ("$HOME", "$$HOME"), ('a "b" \\c', '"a \\"b\\" \\\\c"'), ("", '""')],
)
def test_words_that_systemd_would_expand(text: str, word: str) -> None:
    assert unit_word(text) == word


@pytest.mark.parametrize("name", ["/opt/a\nExecStartPre=/bin/sh", "/opt/a\r", "/opt/\x1b"])
def test_a_word_that_would_begin_another_line_is_refused(name: str) -> None:
    with pytest.raises(ServeError, match="control character") as raised:
        install_plan(HOST, options("--root", name))
    assert raised.value.id is ErrorId.SERVICE_FAILED


def test_a_log_in_a_home_can_be_written() -> None:
    assert unit(HOST, "--access-log", "/home/site/access.log")["ProtectHome"] == "no"
    assert unit(HOST, "--root", "/home/site", "--access-log", "/var/log/a")["ProtectHome"] == "read-only"


def test_hardening_leaves_what_is_served_visible() -> None:
    assert (unit()["ProtectHome"], unit()["PrivateTmp"]) == ("yes", "yes")
    assert unit(HOST, "--root", "/home/site/opt")["ProtectHome"] == "read-only"
    assert unit(HOST, "--users", "/tmp/users")["PrivateTmp"] == "no"
    assert unit(replace(HOST, interpreter="/root/venv/bin/python"))["ProtectHome"] == "read-only"
    linked = replace(HOST, interpreter="/opt/mirror/bin/python", installation="/root/.pyenv/bin/python3.11")
    assert unit(linked)["ProtectHome"] == "read-only"
    assert "NoNewPrivileges" in unit()
    assert "NoNewPrivileges" not in unit(replace(HOST, selinux=True))


def test_times_follow_the_options() -> None:
    assert unit(HOST, "--grace", "120")["TimeoutStopSec"] == "135"
    assert unit()["TimeoutStartSec"] == "300"
    assert unit(HOST, "--verify")["TimeoutStartSec"] == "0"


def test_a_log_is_rotated_where_something_rotates() -> None:
    wanted = options("--access-log", "/var/log/mirror/access.log")
    (rotation,) = (s for s in install_plan(HOST, wanted) if isinstance(s, WriteFile) and not _is_unit(s))
    assert b'"/var/log/mirror/access.log" {' in rotation.content
    assert b"--signal=USR1 kubeedge-mirror.service" in rotation.content
    assert "mkdir -p /var/log/mirror" in commands(HOST, wanted)
    without = install_plan(replace(HOST, logrotate=False), wanted)
    assert len([step for step in without if isinstance(step, WriteFile)]) == 1
    assert "mkdir -p /var/log/mirror" not in commands(HOST, options("--access-log", "-"))


def test_restorecon_only_under_selinux() -> None:
    assert f"restorecon {UNIT_FILE}" in commands(replace(HOST, selinux=True), options())
    assert not any("restorecon" in command for command in commands(HOST, options()))


def test_no_firewall_unless_asked() -> None:
    assert commands(HOST, options()) == [
        "",
        "systemctl daemon-reload",
        "systemctl enable kubeedge-mirror.service",
        "systemctl restart kubeedge-mirror.service",
    ]


@pytest.mark.parametrize(("listens", "opened"), [("*:5000", True), ("127.0.0.1:5000", False), ("off", False)])
def test_the_registry_s_own_port_is_opened_as_well(listens: str, *, opened: bool) -> None:
    found = commands(replace(HOST, firewalld=True), options("--registry", listens, open_firewall=True))
    assert ("firewall-cmd --add-port=5000/tcp" in found) is opened


def test_firewalld_for_now_and_for_every_start() -> None:
    facts = replace(HOST, firewalld=True)
    found = [command for command in commands(facts, options(open_firewall=True)) if "firewall" in command]
    assert found == [
        f"firewall-cmd{permanent} --add-port={ports}/tcp"
        for ports in ("8088", "21", "21100-21299")
        for permanent in (" --permanent", "")
    ]
    allowed = commands(facts, options("--ftp", "off", "--allow", "2001:db8::/32", open_firewall=True))
    rule = 'rule family="ipv6" source address="2001:db8::/32" port port="8088" protocol="tcp" accept'
    assert shlex.join(["firewall-cmd", f"--add-rich-rule={rule}"]) in allowed


def test_iptables_in_a_chain_of_its_own() -> None:
    wanted = options("--ftp", "127.0.0.1:21", "--allow", "198.51.100.0/24", open_firewall=True)
    found = [command for command in commands(HOST, wanted) if "tables" in command]
    assert found == [
        f"iptables -w -N {CHAIN}",
        f"iptables -w -F {CHAIN}",
        f"iptables -w -A {CHAIN} -p tcp -s 198.51.100.0/24 --dport 8088 -j ACCEPT",
        f"iptables -w -I INPUT -j {CHAIN}",
    ]
    both = commands(HOST, options(open_firewall=True))
    assert f"ip6tables -w -A {CHAIN} -p tcp --dport 21100:21299 -j ACCEPT" in both
    kept = install_plan(replace(HOST, saved_rules=("iptables",)), wanted)
    (lines,) = (step.lines for step in kept if isinstance(step, KeepLines))
    assert lines[0] == f":{CHAIN} - [0:0]"
    assert lines[-1] == f"-I INPUT -j {CHAIN}"


def test_a_host_without_a_known_firewall() -> None:
    with pytest.raises(ToolMissingError, match="firewall-cmd or iptables"):
        install_plan(replace(HOST, filters=()), options(open_firewall=True))
    assert install_plan(replace(HOST, filters=()), options("--http", "localhost:1", "--ftp", "off", open_firewall=True))


@pytest.mark.parametrize("arguments", [("--root", "opt"), ("--users", "users"), ("--access-log", "a.log")])
def test_relative_paths_are_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(ServeError, match="relative") as raised:
        install_plan(HOST, options(*arguments))
    assert raised.value.id is ErrorId.SERVICE_FAILED


@pytest.mark.parametrize("arguments", [("--frob",), ("--http", "master:x"), ("--tls-key", "/k"), ("--grace",)])
def test_a_command_line_that_serve_would_refuse_is_refused_now(arguments: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError):
        options(*arguments)


def test_the_environment_of_the_installation_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR_HTTP", "off")
    assert options().settings.http is not None
