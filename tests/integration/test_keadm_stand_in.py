"""keadm's stand-in held against the recordings of the real one: output, exit code, files, and how it asks."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.stand_ins.recordings import Recording, recording, settings_file
from tests.stand_ins.rooted_host import RootedHost

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.integration
MOSQUITTO = "/WORK/root/usr/sbin/mosquitto"
ARCHIVE = "/etc/kubeedge/kubeedge-v1.11.1-linux-amd64.tar.gz"
CHECKSUM = "/etc/kubeedge/checksum_kubeedge-v1.11.1-linux-amd64.tar.gz.txt"
UNIT = "/etc/systemd/system/edgecore.service"


def nothing(host: RootedHost) -> None:
    del host


def without(*paths: str) -> Callable[[RootedHost], None]:
    def prepare(host: RootedHost) -> None:
        for path in paths:
            host.path(path).unlink()

    return prepare


def running(name: str) -> Callable[[RootedHost], None]:
    return lambda host: host.path(f"/run/{name}").touch()


def unit_exists(host: RootedHost) -> None:
    host.path(UNIT).hardlink_to(host.path("/etc/kubeedge/edgecore.service"))


def wrong_checksum_and_no_unit(host: RootedHost) -> None:
    host.path(CHECKSUM).write_text("0" * 128 + "\n")
    host.path("/etc/kubeedge/edgecore.service").unlink()


def api_down(host: RootedHost) -> None:
    host.cluster("down").touch()


# what of the host was otherwise when the real program was recorded
CALLS: dict[str, Callable[[RootedHost], None]] = {
    "init-already-running": running("cloudcore"),
    "init-api-unreachable": api_down,
    "init-no-checksum-answer-n": without(CHECKSUM),
    "init-no-crds": without("/etc/kubeedge/crds/devices/devices_v1alpha2_device.yaml"),
    "init-no-kubeconfig": nothing,
    "init-no-version": api_down,
    "init-v-prefix-panics": nothing,
    "gettoken-api-unreachable": api_down,
    "join-good": nothing,
    "join-label-without-equals": nothing,
    "join-no-checksum-answer-y": without(CHECKSUM),
    "join-no-cloudcore-ipport": nothing,
    "join-no-tarball": without(ARCHIVE),
    "join-no-unit-file-answer-n": wrong_checksum_and_no_unit,
    "join-upper-case-node-name": nothing,
    "join-wrong-token": nothing,
    "join-yum-offline": lambda host: host.path("/run/stand-in-mosquitto").unlink(),
    "rejoin-unit-exists": unit_exists,
    "rejoin-while-running": running("edgecore"),
    "reset-edge-answer-n": nothing,
    "reset-edge-stdin-devnull": nothing,
    "reset-edge-nothing-running": nothing,
}


def words_of(recorded: Recording) -> list[str]:
    first = re.split(r";|</dev/null|\|", recorded.command)[0]
    return shlex.split(first.removeprefix("timeout -s KILL 2 "))[1:]


def plain(text: str) -> str:
    """Return a text without what differs between two runs: dates, and ports that the kernel chooses."""
    text = re.sub(r"--\d{4}-\d\d-\d\d \d\d:\d\d:\d\d--", "--DATE--", text)
    return re.sub(r"udp \[::1\]:\d+->", "udp [::1]:PORT->", text)


@pytest.fixture
def host(tmp_path: Path) -> RootedHost:
    return RootedHost(tmp_path / "root", MOSQUITTO)


@pytest.mark.parametrize("name", CALLS)
def test_it_answers_as_the_real_one_did(host: RootedHost, name: str) -> None:
    recorded = recording(name)
    CALLS[name](host)
    done = host.keadm(*words_of(recorded), stdin=recorded.stdin)
    assert done.returncode == recorded.keadm_code
    assert plain(done.stdout).splitlines() == plain(recorded.keadm_stdout).splitlines()
    assert plain(done.stderr).rstrip() == plain(recorded.stderr).rstrip()
    # systemctl was logged a second time where sudo called it, as here
    assert host.host_commands() == list(recorded.host_commands)


def test_a_second_init_overwrites_what_was_set(host: RootedHost) -> None:
    recorded = recording("init-good-rerun-overwrites-config")
    settings = host.path("/etc/kubeedge/config/cloudcore.yaml")
    settings.parent.mkdir()
    settings.write_text("nodeLimit: 7\n")
    done = host.keadm(*words_of(recorded))
    expected = recorded.stdout.splitlines()
    assert (done.returncode, done.stdout.splitlines()) == (0, expected[:-1])
    assert expected[-1] in settings.read_text().splitlines()
    assert settings.read_text() == settings_file("cloudcore.yaml").replace("CLOUD_IP", "10.99.0.1")
    assert host.path("/usr/local/bin/cloudcore").exists()
    assert host.path("/var/log/kubeedge/cloudcore.log").exists()


def test_a_join_writes_the_files_that_were_recorded(host: RootedHost) -> None:
    recorded = recording("join-good")
    host.keadm(*words_of(recorded), "--edgenode-name=edge1")
    made = [line.split(maxsplit=4)[1:] for line in recorded.changes if line.startswith("+")]
    assert len(made) == 7
    for mode, links, _, path in made:
        status = host.path(path).stat()
        assert (status.st_mode & 0o777 == 0o755, status.st_nlink) == (mode == "-rwxr-xr-x", int(links)), path
    token = words_of(recorded)[-1].removeprefix("--token=")
    written = host.path("/etc/kubeedge/config/edgecore.yaml").read_text()
    expected = settings_file("edgecore.yaml")
    for word, value in {"CLOUD_IP": "10.99.0.1", "EDGE_IP": "192.0.2.11", "EDGE_NAME": "edge1"}.items():
        expected = expected.replace(word, value)
    assert written == expected.replace("token: TOKEN", f"token: {token}")


def test_driver_and_labels_reach_the_settings(host: RootedHost) -> None:
    done = host.keadm(*words_of(recording("join-good")), "--cgroupdriver=systemd", "--labels=zone=a,line=")
    assert done.returncode == 0
    written = host.path("/etc/kubeedge/config/edgecore.yaml").read_text()
    assert "    cgroupDriver: systemd\n" in written
    assert '    labels:\n      zone: "a"\n      line: ""\n' in written


def test_a_failed_second_join_has_reset_the_settings(host: RootedHost) -> None:
    unit_exists(host)
    settings = host.path("/etc/kubeedge/config/edgecore.yaml")
    settings.parent.mkdir()
    settings.write_text("enable: true\n")
    assert host.keadm(*words_of(recording("rejoin-unit-exists"))).returncode == 1
    assert settings.read_text() != "enable: true\n"


def test_a_token_is_printed_without_an_end_of_line(host: RootedHost) -> None:
    secret = host.cluster("secrets") / "tokensecret"
    secret.mkdir(parents=True)
    (secret / "tokendata").write_text("YWJj")
    assert host.keadm("gettoken").stdout == "abc"


@pytest.mark.parametrize(
    ("name", "checksum"),
    [
        ("join-no-checksum-stdin-devnull", None),
        ("join-checksum-upper-case", "A" * 128 + "\n"),
        ("join-checksum-with-file-name", "a" * 128 + "  name\n"),
    ],
)
def test_it_asks_for_ever(host: RootedHost, tmp_path: Path, name: str, checksum: str | None) -> None:
    recorded = recording(name)
    host.path(CHECKSUM).unlink() if checksum is None else host.path(CHECKSUM).write_text(checksum)
    answers = tmp_path / "answers"
    answers.write_bytes(recorded.stdin or b"")
    wanted = recorded.stdout.partition("... (")[0].splitlines()
    with answers.open("rb") as stdin:
        asking = host.begin_keadm(*words_of(recorded), stdin=stdin)
    try:
        assert asking.stdout is not None
        # it goes on, whatever has been read
        lines = [asking.stdout.readline().decode().rstrip("\n") for _ in range(20_000)]
    finally:
        os.killpg(asking.pid, signal.SIGKILL)
        asking.wait()
    assert lines[: len(wanted)] == wanted
    assert lines[-2:] in (["[y/N]: ", "EOF"], ["EOF", "[y/N]: "])


def test_a_closed_stdin_is_asked_for_ever_too(host: RootedHost) -> None:
    recorded = recording("join-no-checksum-stdin-closed")
    host.path(CHECKSUM).unlink()
    script = '"$@" <&- | head -n 30'
    command = ["sh", "-c", script, "sh", "sh", str(host.root / "keadm"), *words_of(recorded)]
    done = subprocess.run(command, env=host.environment(), capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == recorded.stdout.splitlines()[:30]
