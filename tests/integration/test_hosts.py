"""The hosts that tests boot are real ones: systemd, a network without a way out, a power switch."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bundler.host.interface import CommandResult
from tests.hosts.nspawn import WANTS_REBOOT
from tests.hosts.stage import HostPlan, Stage, stage
from tests.integration.mirror_program import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hosts.nspawn_host import NspawnHost

# hosts take memory: a module of each of two groups has them at a time, `hosts` and `site`
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("hosts")]

GREETING_SOCKET = "[Socket]\nListenStream=2000\nAccept=yes\n[Install]\nWantedBy=sockets.target\n"
GREETING_SERVICE = "[Service]\nExecStart=/bin/cat /etc/hostname\nStandardOutput=socket\n"


@pytest.fixture(scope="module")
def hosts() -> Iterator[Stage]:
    with stage(HostPlan("master"), HostPlan("edge")) as made:
        for host in made:
            host.power_on()
        for host in made:
            host.wait_until_up()
        yield made


@pytest.fixture
def master(hosts: Stage) -> NspawnHost:
    return running(hosts.hosts[0])


@pytest.fixture
def edge(hosts: Stage) -> NspawnHost:
    return running(hosts.hosts[1])


def running(host: NspawnHost) -> NspawnHost:
    """Switch a host on that another test has left off."""
    if not host.running:
        host.start()
    return host


def greets(host: NspawnHost) -> None:
    """Make a host say its name on port 2000, by systemd alone, after each boot."""
    host.sh(
        f"printf %s {shlex.quote(GREETING_SOCKET)} >/etc/systemd/system/greeting.socket\n"
        f"printf %s {shlex.quote(GREETING_SERVICE)} >/etc/systemd/system/greeting@.service\n"
        "systemctl daemon-reload && systemctl enable --now greeting.socket"
    )


def greeting(host: NspawnHost, name: str, port: int = 2000) -> str:
    """Return what a host hears from another one, "" when it cannot reach it."""
    return host.run("timeout", "2", "bash", "-c", f"cat </dev/tcp/{name}/{port}").stdout


def test_a_host_is_a_whole_one_without_what_a_site_may_lack(master: NspawnHost) -> None:
    assert master.sh("cat /proc/1/comm; hostname; id -u") == "systemd\nmaster\n0\n"
    assert master.run("systemctl", "--failed", "--no-legend", "--plain").stdout == ""
    assert master.run("systemctl", "is-active", "systemd-logind", "dbus").stdout == "active\nactive\n"
    assert master.run("sh", "-c", "command -v python3 curl wget").stdout == ""


def test_a_command_gets_input_and_environment_and_its_end_is_known(master: NspawnHost) -> None:
    script = "cat; echo $WHO $HOME; pwd; echo err >&2; exit 3"
    done = master.run("sh", "-c", script, stdin=b"in\n", env={"WHO": "a b"}, cwd="/opt")
    assert done == CommandResult(3, "in\na b /root\n/opt\n", "err\n")
    assert master.run("no-such-program").code == 127
    with pytest.raises(AssertionError, match="master: echo text; false: 1\ntext"):
        master.sh("echo text; false")


def test_a_command_that_takes_too_long_is_ended_with_what_it_started(master: NspawnHost) -> None:
    done = master.run("sh", "-c", "echo begun; sleep 4321 & sleep 4321", timeout_s=0.5)
    assert (done.code, done.stdout) == (124, "begun\n")
    assert "4321" not in master.sh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")


@pytest.mark.parametrize("switched_on", [True, False])
def test_files_and_trees_are_copied_in_and_out(edge: NspawnHost, tmp_path: Path, *, switched_on: bool) -> None:
    tree = tmp_path / "a tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "it's").write_bytes(b"\0text")
    (tree / "deep" / "it's").chmod(0o4750)
    (tree / "link").symlink_to("deep/it's")
    os.link(tree / "deep" / "it's", tree / "same")
    if not switched_on:
        edge.stop()
    edge.copy_in(tree / "deep" / "it's", "/opt/new dir/file")
    edge.copy_in(tree, "/opt/new dir/tree")
    assert edge.sh("stat -c '%a %h' '/opt/new dir/file' /opt/*/tree/same; readlink /opt/*/tree/link") == (
        "4750 1\n4750 2\ndeep/it's\n"
    )
    edge.copy_out("/opt/new dir/tree/", tmp_path / "back")
    edge.copy_out("/opt/new dir/file", tmp_path / "one")
    assert (tmp_path / "back" / "link").read_bytes() == (tmp_path / "one").read_bytes() == b"\0text"
    assert (tmp_path / "back" / "same").stat().st_nlink == 2
    edge.sh("rm -r '/opt/new dir'")


def test_hosts_reach_each_other_by_name_and_nothing_else(master: NspawnHost, edge: NspawnHost) -> None:
    greets(master)
    assert greeting(edge, "master") == "master\n"
    assert "Network is unreachable" in edge.run("bash", "-c", "cat </dev/tcp/203.0.113.1/80").stderr
    assert edge.run("getent", "hosts", "deb.example").code != 0
    assert edge.sh("ip route") == f"198.51.100.0/24 dev eth0 proto kernel scope link src {edge.address} \n"


def test_a_program_of_this_machine_runs_beside_the_hosts(hosts: Stage, master: NspawnHost, edge: NspawnHost) -> None:
    greets(master)
    heard = subprocess.run(
        [*hosts.beside, "bash", "-c", f"cat </dev/tcp/{master.address}/2000"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert heard.stdout == "master\n"
    serve = "import socket; s = socket.create_server(('', 2001)); print(flush=True); s.accept()[0].send(b'beside')"
    command = [*hosts.beside, sys.executable, "-c", serve]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as served:
        assert served.stdout is not None
        served.stdout.readline()
        assert greeting(edge, "beside", 2001) == "beside"


def test_a_cable_is_cut_and_joined(master: NspawnHost, edge: NspawnHost) -> None:
    greets(master)
    master.cut_cable()
    assert greeting(edge, "master") == ""
    assert "NO-CARRIER" in master.sh("ip link show eth0")
    master.join_cable()
    eventually(lambda: greeting(edge, "master") == "master\n", "the greeting")


def boot_id(host: NspawnHost) -> str:
    """Return what is another one after each boot."""
    return host.sh("cat /proc/sys/kernel/random/boot_id")


def test_what_is_enabled_is_there_after_a_reboot_and_after_a_power_cut(master: NspawnHost, edge: NspawnHost) -> None:
    greets(master)
    boots = [boot_id(master)]
    master.reboot()
    assert greeting(edge, "master") == "master\n"
    boots.append(boot_id(master))
    master.kill()
    assert not master.running
    assert greeting(edge, "master") == ""
    master.start()
    assert greeting(edge, "master") == "master\n"
    assert len({*boots, boot_id(master)}) == 3


def test_a_command_that_runs_when_the_power_goes_does_not_outlive_it(edge: NspawnHost) -> None:
    command = edge.command_line("sh", "-c", "echo begun; while :; do echo x >>/opt/ticks; done")
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writing:
        assert writing.stdout is not None
        assert writing.stdout.readline() == b"begun\n"
        edge.kill()
        assert writing.wait(60) != 0
    written = edge.sh("wc -c </opt/ticks")
    edge.start()
    assert edge.sh("wc -c </opt/ticks; rm /opt/ticks") == written


def test_power_can_be_cut_while_it_boots(edge: NspawnHost) -> None:
    edge.kill()
    for _ in range(3):
        edge.power_on()
        edge.kill()
    edge.start()
    assert edge.sh("hostname") == "edge\n"


def test_a_host_says_how_it_wants_to_go_on(edge: NspawnHost) -> None:
    edge.run("systemctl", "reboot")
    assert edge.wait_until_off() == WANTS_REBOOT
    edge.start()
    edge.run("systemctl", "poweroff")
    assert edge.wait_until_off() == 0
    assert not edge.running


def test_a_snapshot_comes_back_whatever_has_happened_since(master: NspawnHost, edge: NspawnHost) -> None:
    edge.stop()
    before = edge.snapshot()
    edge.start()
    edge.sh("mkdir /opt/one; echo 1 >/opt/one/file; ln /opt/one/file /opt/same; echo changed >/etc/motd")
    edge.stop()
    after = edge.snapshot()
    edge.start()
    # what lies in a layer below behaves as on any disk
    edge.sh("mv /opt/one /opt/two; echo 2 >>/opt/same; rm /etc/motd")
    assert edge.sh("cat /opt/two/file") == "1\n2\n"
    edge.roll_back(after)
    assert edge.sh("cat /opt/one/file /etc/motd; ls /opt") == "1\nchanged\none\nsame\n"
    # a copy of another host, which stays who it is
    master.stop()
    mine = master.snapshot()
    master.roll_back(after)
    master.start()
    assert master.sh("cat /opt/one/file; hostname") == "1\nmaster\n"
    master.roll_back(mine)
    edge.roll_back(before)
    edge.start()
    assert edge.sh("ls /opt; grep -c changed /etc/motd || true") == "0\n"
