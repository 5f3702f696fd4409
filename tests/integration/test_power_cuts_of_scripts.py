"""Power that is cut in the middle of install.sh and edge.sh: the next run ends in the state of an undisturbed one.

CUTS (a number) makes it longer.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from bundler.model.progress import Unwatched
from tests.hosts.stage import HostPlan, stage
from tests.integration.carried_demo import build_demo_with_runtime
from tests.integration.mirror_program import PROGRAM, mirror
from tests.sources import unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.hosts.nspawn_host import NspawnHost
    from tests.hosts.storage import Snapshot
    from tests.integration.ready_runtime import ReadyRuntime

# hosts take memory: a module of each of two groups has them at a time, `hosts` and `site`
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("hosts")]
CUTS = int(os.environ.get("CUTS", "1"))
RANDOM = random.Random()
UNIT = "kubeedge-mirror.service"
# between two lines that come at once nothing happens
SHORT_S = 0.05
LONG_S = 300
INSTALL = ("sh", "/opt/install.sh", "--prefix", "/usr/local", "--mirror")
ADDRESS = "198.51.100.254:8088"
FETCH = ("sh", "-c", f"curl -fsS http://{ADDRESS}/-/edge.sh | sh")


@dataclass(frozen=True, slots=True)
class Cuts:
    """A command whose power is cut again and again, each time from the same state on.

    Arguments:
        before: what is on the host's disks.
        state: tells what a run has come to, as text.
        is_sound: looks at the host after a cut; AssertionError for what must not be there.
    """

    host: NspawnHost
    before: Snapshot
    command: Sequence[str]
    state: Callable[[NspawnHost], str]
    is_sound: Callable[[NspawnHost], None]

    def undisturbed(self) -> tuple[str, list[float]]:
        """Return what a run comes to, and after how many seconds it has begun, said each of its lines, and ended."""
        self._begin()
        began, said_s = time.monotonic(), [0.0]
        with subprocess.Popen(self.host.command_line(*self.command), stdout=subprocess.PIPE) as running:
            assert running.stdout is not None
            said_s += [time.monotonic() - began for _ in running.stdout]
        assert running.returncode == 0
        return self.state(self.host), [*said_s, time.monotonic() - began]

    def cut(self, after_s: float) -> str:
        """Run it, cut the power meanwhile, run it again, and return what that comes to."""
        self._begin()
        with subprocess.Popen(self.host.command_line(*self.command), stdout=subprocess.DEVNULL):
            time.sleep(after_s)
            self.host.kill()
        self.host.start()
        self.is_sound(self.host)
        again = self.host.run(*self.command, timeout_s=LONG_S)
        assert again.code == 0, again.stdout + again.stderr
        return self.state(self.host)

    def _begin(self) -> None:
        self.host.roll_back(self.before)
        self.host.start()


def moments(said_s: Sequence[float]) -> list[float]:
    """Return when the power is cut: in turn at some moment between two lines, from the last ones on."""
    stages = [(begin, end) for begin, end in pairwise(said_s) if end - begin > SHORT_S]
    chosen = [stages[-1 - number % len(stages)] for number in range(CUTS)]
    return [RANDOM.uniform(begin, end) for begin, end in chosen]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, runtime: ReadyRuntime) -> Path:
    """An archive of the demo with a runtime; its tree lies beside it, without `.tar.gz`."""
    directory = tmp_path_factory.mktemp("carried")
    build_demo_with_runtime(directory, runtime, {"site.tar.gz": ""})
    unpack(directory / "site.tar.gz", directory / "site", Unwatched())
    return directory / "site.tar.gz"


def listed(host: NspawnHost, *places: str) -> str:
    """Return the files in some places: names, modes, sizes, and where links lead."""
    command = f"find {' '.join(places)} -xdev ! -type d -printf '%p %y %m %s %l\\n' | sort"
    return host.sh(command)


def installed(host: NspawnHost) -> str:
    units = host.sh(f"systemctl is-enabled {UNIT}; systemctl is-active {UNIT}")
    return units + listed(host, "/opt", "/usr/local", "/etc/systemd")


def fetched(host: NspawnHost) -> str:
    return listed(host, "/opt")


def is_whole_or_absent(host: NspawnHost) -> None:
    """Hold the active bundle, where there is one, to its index."""
    host.sh("[ ! -h /opt/current ] || /opt/current/bin/bundler verify --strict /opt/current", timeout_s=LONG_S)


def test_a_cut_installation_is_completed_by_the_next_run(bundle: Path) -> None:
    with stage(HostPlan("master", disks=("/",))) as (host,):
        host.copy_in(bundle, "/root/site.tar.gz")
        host.start()
        host.sh("tar -xzf /root/site.tar.gz -C /opt && sync")
        host.stop()
        cuts = Cuts(host, host.snapshot(), INSTALL, installed, lambda _: None)
        want, said_s = cuts.undisturbed()
        for after_s in moments(said_s):
            assert cuts.cut(after_s) == want, f"cut after {after_s} s of {said_s}"


def test_a_cut_edge_script_is_completed_by_the_next_run(bundle: Path) -> None:
    tree = bundle.with_name("site")
    command = [str(PROGRAM), "serve", "--root", str(tree), "--http", ADDRESS, "--ftp", "off"]
    with stage(HostPlan("edge", packages=("curl",), disks=("/opt",))) as site:
        (host,) = site.hosts
        with mirror(tree, started_as=[*site.beside, *command]):
            cuts = Cuts(host, host.snapshot(), FETCH, fetched, is_whole_or_absent)
            want, said_s = cuts.undisturbed()
            for after_s in moments(said_s):
                assert cuts.cut(after_s) == want, f"cut after {after_s} s of {said_s}"
