"""Installing and removing on a host in memory: recorded before it is done, undone in reverse, nothing else touched."""

from __future__ import annotations

import hashlib

import pytest

from bundler.errors import ErrorId, ServeError, ToolMissingError
from bundler.host.apply import undo_lines
from bundler.host.interface import CommandResult, HttpAnswer
from mirror.service.facts import SAVED_RULES, Facts, facts_of
from mirror.service.install_plan import ROTATION_FILE, UNIT_FILE, InstallOptions, install_plan
from mirror.service.installation import JOURNAL, install, installed_on, remove
from mirror.service.service_status import status_of
from tests.fakes.host import MemoryHost
from tests.unit.mirror.service.test_install_plan import HOST, options

LOG = ("--access-log", "/var/log/kubeedge-mirror/access.log")
SYSTEM_RULES = b"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n-A INPUT -j REJECT\nCOMMIT\n"
KEEPING = Facts(True, False, ("iptables",), ("iptables",), False, True, "/usr/bin/python3")


def installed(host: MemoryHost, wanted: InstallOptions, facts: Facts = HOST) -> list[str]:
    """Install and return what was said."""
    steps = install_plan(facts, wanted)
    host.learn(steps)
    said: list[str] = []
    install(host, facts, steps, wanted.settings, said.append)
    return said


def test_what_remove_leaves_is_what_was_before() -> None:
    rules = SAVED_RULES["iptables"]
    host = MemoryHost({"/etc/hosts": b"mine", rules: SYSTEM_RULES})
    installed(host, options(*LOG, open_firewall=True), KEEPING)
    assert {UNIT_FILE, ROTATION_FILE, JOURNAL} <= set(host.files)
    assert host.files[rules] != SYSTEM_RULES
    assert host.modes[JOURNAL] == 0o600
    began = len(host.ran)
    assert remove(host, lambda _: None)
    assert host.files == {"/etc/hosts": b"mine", rules: SYSTEM_RULES}
    assert host.succeeding == set()
    assert host.ran[began:] == [
        "systemctl stop kubeedge-mirror.service",
        "systemctl disable kubeedge-mirror.service",
        "iptables -w -D INPUT -j KUBEEDGE-MIRROR",
        "iptables -w -F KUBEEDGE-MIRROR",
        "iptables -w -X KUBEEDGE-MIRROR",
        "rmdir --ignore-fail-on-non-empty /var/log/kubeedge-mirror",
        "systemctl daemon-reload",
    ]
    assert not remove(host, lambda _: None)


def test_our_lines_stand_before_the_first_rule_and_after_the_chains() -> None:
    host = MemoryHost({SAVED_RULES["iptables"]: SYSTEM_RULES})
    installed(host, options("--ftp", "off", open_firewall=True), KEEPING)
    installed(host, options("--ftp", "off", open_firewall=True), KEEPING)
    assert host.files[SAVED_RULES["iptables"]].decode().splitlines() == [
        "*filter",
        ":INPUT ACCEPT [0:0]",
        ":FORWARD ACCEPT [0:0]",
        "# kubeedge-mirror: begin",
        ":KUBEEDGE-MIRROR - [0:0]",
        "-A KUBEEDGE-MIRROR -p tcp --dport 8088 -j ACCEPT",
        "-I INPUT -j KUBEEDGE-MIRROR",
        "# kubeedge-mirror: end",
        "-A INPUT -j REJECT",
        "COMMIT",
    ]


def test_the_same_again_changes_nothing_but_starts_anew() -> None:
    host = MemoryHost()
    installed(host, options())
    files = dict(host.files)
    began = len(host.ran)
    installed(host, options())
    assert host.files == files
    assert host.ran[began:] == ["systemctl daemon-reload", "systemctl restart kubeedge-mirror.service"]


def test_other_options_close_what_is_not_wanted_any_more() -> None:
    facts = Facts(True, True, (), (), False, False, "/usr/bin/python3")
    host = MemoryHost()
    installed(host, options("--http", "*:9000", "--ftp", "off", open_firewall=True), facts)
    installed(host, options("--http", "*:9001", "--ftp", "off", open_firewall=True), facts)
    assert "firewall-cmd --permanent --remove-port=9000/tcp" in host.ran
    assert ["firewall-cmd", "--permanent", "--query-port=9001/tcp"] in [list(check) for check in host.succeeding]
    found = installed_on(host)
    assert found is not None
    assert not any("9000" in line for line in undo_lines(found.journal))
    assert b"*:9001" in host.files[UNIT_FILE]


def test_what_somebody_else_opened_stays_open() -> None:
    facts = Facts(True, True, (), (), False, False, "/usr/bin/python3")
    theirs = ("firewall-cmd", "--permanent", "--query-port=8088/tcp")
    host = MemoryHost(succeeding={theirs})
    installed(host, options("--ftp", "off", open_firewall=True), facts)
    assert "firewall-cmd --permanent --add-port=8088/tcp" not in host.ran
    remove(host, lambda _: None)
    assert host.succeeding == {theirs}


def test_a_file_of_somebody_else_is_neither_replaced_nor_removed() -> None:
    host = MemoryHost({UNIT_FILE: b"theirs"})
    for _ in range(2):
        with pytest.raises(ServeError, match="is not what `mirror service install` has made") as raised:
            installed(host, options())
        assert (raised.value.id, raised.value.step) == (ErrorId.SERVICE_FAILED, f"write {UNIT_FILE}")
        assert host.files[UNIT_FILE] == b"theirs"
    said: list[str] = []
    remove(host, said.append)
    assert host.files[UNIT_FILE] == b"theirs"


def test_a_unit_that_systemd_has_forgotten_does_not_stop_the_removal() -> None:
    host = MemoryHost()
    installed(host, options())
    stop = ("systemctl", "stop", "kubeedge-mirror.service")
    host.failing[stop] = CommandResult(5, "", "Failed to stop kubeedge-mirror.service: Unit not loaded.\n")
    assert remove(host, lambda _: None)
    assert host.files == {}
    installed(host, options())
    host.failing[stop] = CommandResult(1, "", "Access denied\n")
    with pytest.raises(ServeError, match="Access denied"):
        remove(host, lambda _: None)


def test_a_firewall_that_does_not_run_is_told_what_is_left() -> None:
    facts = Facts(True, True, (), (), False, False, "/usr/bin/python3")
    host = MemoryHost()
    installed(host, options("--ftp", "off", open_firewall=True), facts)
    for begin in (("firewall-cmd", "--permanent"), ("firewall-cmd",)):
        host.failing[*begin, "--query-port=8088/tcp"] = CommandResult(252, "", "FirewallD is not running\n")
    said: list[str] = []
    assert remove(host, said.append)
    left = [line for line in said if "left to do" in line]
    assert [line.rpartition(": ")[2] for line in left] == ["firewall-cmd --permanent --remove-port=8088/tcp"]


def test_status_of_a_mirror_that_is_a_registry_alone() -> None:
    host = MemoryHost(ports={("127.0.0.1", 5000)}, answer=HttpAnswer(503, "red"))
    installed(host, options("--http", "off", "--ftp", "off", "--registry", "127.0.0.1:5000"))
    found = status_of(host)
    assert found.listening == {"http": True}
    assert found.health == HttpAnswer(503, "red")


def test_saved_rules_with_comments_in_another_encoding() -> None:
    rules = SAVED_RULES["iptables"]
    theirs = SYSTEM_RULES + b"# caf\xe9\n"
    host = MemoryHost({rules: theirs})
    installed(host, options(open_firewall=True), KEEPING)
    assert host.files[rules] != theirs
    remove(host, lambda _: None)
    assert host.files[rules] == theirs


def test_rules_behind_a_block_without_its_end_stay() -> None:
    rules = SAVED_RULES["iptables"]
    host = MemoryHost({rules: SYSTEM_RULES})
    installed(host, options(open_firewall=True), KEEPING)
    host.files[rules] = host.files[rules].replace(b"# kubeedge-mirror: end\n", b"")
    remove(host, lambda _: None)
    assert host.files[rules].endswith(b"-A INPUT -j REJECT\nCOMMIT\n")


def test_a_step_that_fails_says_what_the_command_said_and_can_be_undone() -> None:
    host = MemoryHost()
    restart = ("systemctl", "restart", "kubeedge-mirror.service")
    host.failing[restart] = CommandResult(1, "", "Job failed.\nSee journalctl -xe\n")
    with pytest.raises(ServeError, match="See journalctl -xe") as raised:
        installed(host, options())
    assert raised.value.where == raised.value.step == " ".join(restart)
    assert raised.value.exit_code == 8
    remove(host, lambda _: None)
    assert (host.files, host.succeeding) == ({}, set())


def test_who_may_and_where() -> None:
    for act in (lambda host: installed(host, options()), lambda host: remove(host, print)):
        with pytest.raises(ServeError, match="only root"):
            act(MemoryHost(root=False))
    with pytest.raises(ToolMissingError, match="systemd"):
        installed(MemoryHost(), options(), Facts(False, False, (), (), False, False, "/usr/bin/python3"))


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"no json",
        b'{"format": 1, "made": 3}',
        b'{"format": 1, "made": [], "http": null}',
        b'{"format": 1, "made": [], "http": [], "ftp": null, "tls": false}',
    ],
)
def test_a_journal_that_cannot_be_read(data: bytes) -> None:
    for act in (installed_on, lambda host: installed(host, options()), lambda host: remove(host, print)):
        with pytest.raises(ServeError, match="cannot be read") as raised:
            act(MemoryHost({JOURNAL: data}))
        assert (raised.value.id, raised.value.where) == (ErrorId.SERVICE_FAILED, JOURNAL)


JOURNAL_TEXT = """{
  "format": 1,
  "ftp": null,
  "http": [
    "",
    8088
  ],
  "made": [
    {
      "check": [],
      "file": "",
      "sha256": "",
      "undo": [
        "systemctl",
        "daemon-reload"
      ]
    },
    {
      "check": [],
      "file": "/etc/systemd/system/kubeedge-mirror.service",
      "sha256": "UNIT_SHA256",
      "undo": []
    },
    {
      "check": [
        "systemctl",
        "--quiet",
        "is-enabled",
        "kubeedge-mirror.service"
      ],
      "file": "",
      "sha256": "",
      "undo": [
        "systemctl",
        "disable",
        "kubeedge-mirror.service"
      ]
    },
    {
      "check": [],
      "file": "",
      "sha256": "",
      "undo": [
        "systemctl",
        "stop",
        "kubeedge-mirror.service"
      ]
    }
  ],
  "tls": true
}
"""


def test_the_journal_is_written_as_it_always_was() -> None:
    host = MemoryHost()
    installed(host, options("--ftp", "off", "--tls-cert", "/c", "--tls-key", "/k"))
    unit = hashlib.sha256(host.files[UNIT_FILE]).hexdigest()
    text = JOURNAL_TEXT.replace("UNIT_SHA256", unit)
    assert host.files[JOURNAL].decode() == text


def test_facts() -> None:
    bare = MemoryHost(failing={("firewall-cmd", "--state"): CommandResult(127, "", "")})
    found = facts_of(bare, "/p")
    assert (found.systemd, found.firewalld, found.selinux, found.saved_rules) == (False, False, False, ())
    full = MemoryHost(
        {
            "/run/systemd/system": b"",
            "/sys/fs/selinux/enforce": b"1",
            "/etc/logrotate.d": b"",
            "/usr/libexec/iptables/iptables.init": b"",
            SAVED_RULES["iptables"]: SYSTEM_RULES,
        }
    )
    assert facts_of(full, "/p") == Facts(True, True, ("iptables", "ip6tables"), ("iptables",), True, True, "/p")


def test_status() -> None:
    host = MemoryHost()
    assert not status_of(host).installed
    installed(host, options())
    shown = "LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\nMainPID=7\n"
    properties = [f"--property={name}" for name in ("LoadState", "ActiveState", "SubState", "UnitFileState", "MainPID")]
    host.failing["systemctl", "show", "kubeedge-mirror.service", *properties] = CommandResult(0, shown, "")
    assert status_of(host).listening == {"http": False, "ftp": False}
    assert not status_of(host).good
    host.ports = {("127.0.0.1", 8088), ("127.0.0.1", 21)}
    host.answer = HttpAnswer(503, "red")
    assert not status_of(host).good
    host.answer = HttpAnswer(200, "green")
    assert status_of(host).good
    assert status_of(host).unit["MainPID"] == "7"
