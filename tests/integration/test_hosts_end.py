"""Nothing of a stage is left, however its block or its process ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.checkout import ROOT
from tests.hosts.cgroups import own_groups
from tests.hosts.network import BRIDGE
from tests.hosts.requirements import require_root
from tests.hosts.stage import PROGRAMS, HostPlan, stage
from tests.integration.mirror_program import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("hosts")]

RUN = """
import sys
from tests.hosts.requirements import require_root
from tests.hosts.stage import HostPlan, stage
with stage(HostPlan("edge", disks=("/opt",))) as made:
    (edge,) = made
    edge.start()
    print(made.directory, flush=True)
    sys.stdin.read()
"""


def processes(directory: Path) -> list[str]:
    """Return the command lines that name a stage's directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        found += [line] if str(directory) in line else []
    return found


def in_use(directory: Path) -> list[str]:
    """Return what of a stage can be seen of processes, control groups, mounts and loop devices."""
    groups = [str(group / directory.name) for group in own_groups() if (group / directory.name).exists()]
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if directory.name in line]
    loops = [line for line in loop_devices() if directory.name in line]
    return [*processes(directory), *groups, *mounts, *loops]


def loop_devices() -> list[str]:
    return subprocess.run(["losetup", "--list"], capture_output=True, text=True, check=True).stdout.splitlines()


def networks() -> set[str]:
    """Return the names of this machine's links, and of its network namespaces."""
    shown = [
        subprocess.run(["ip", *words], capture_output=True, text=True, check=True).stdout
        for words in (("-brief", "link"), ("netns",))
    ]
    return {line.split()[0].partition("@")[0] for line in "\n".join(shown).splitlines() if line}


def gone(directory: Path) -> bool:
    return not in_use(directory) and not directory.exists()


def test_nothing_is_left_of_running_hosts() -> None:
    with stage(HostPlan("edge", disks=("/",)), HostPlan("off")) as made:
        made.hosts[0].start()
        assert processes(made.directory)
        # the loop device alone is seen outside of the stage's namespaces
        assert [line for line in loop_devices() if made.directory.name in line]
        assert not [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if "bundler-hosts" in line]
        # other tests make their own meanwhile
        assert networks().isdisjoint({BRIDGE, "cable1", "cable2", "edge", "off"})
        assert "lo" in networks()
    eventually(lambda: gone(made.directory), "the end")


def test_nothing_is_left_of_a_failed_test() -> None:
    seen: list[Path] = []

    def failing() -> None:
        with stage(HostPlan("edge")) as made:
            seen.append(made.directory)
            made.hosts[0].power_on()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert gone(seen[0])


@pytest.fixture
def other_run() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process with a booted host, and its stage."""
    require_root(*PROGRAMS)
    with subprocess.Popen(
        [sys.executable, "-c", RUN], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        directory = process.stdout.readline().rstrip("\n")
        assert directory
        try:
            yield process, Path(directory)
        finally:
            process.kill()


def test_nothing_is_left_after_an_interruption(other_run: tuple[subprocess.Popen[str], Path]) -> None:
    process, directory = other_run
    assert processes(directory)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) != 0
    eventually(lambda: gone(directory), "the end")


def test_a_killed_run_takes_its_hosts_along_and_the_next_one_removes_its_files(
    other_run: tuple[subprocess.Popen[str], Path],
) -> None:
    process, directory = other_run
    with stage():
        # a stage that lives is nobody's leftover
        assert processes(directory)
        assert directory.exists()
    process.kill()
    process.wait(60)
    eventually(lambda: not processes(directory), "the end of the host")
    assert directory.exists()
    with stage():
        eventually(lambda: gone(directory), "the end")
