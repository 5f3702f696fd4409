"""Power that is cut in the middle of unpack and activate: the next run ends in the state of an undisturbed one.

CUTS (a number) makes it longer.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.hosts.stage import HostPlan, stage
from tests.integration.mirror_program import eventually
from tests.unit.archive.bundles import CONTENTS, sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hosts.nspawn_host import NspawnHost
    from tests.integration.ready_runtime import ReadyRuntime

# hosts take memory: a module of each of two groups has them at a time, `hosts` and `site`
pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("hosts")]
CUTS = int(os.environ.get("CUTS", "4"))
RANDOM = random.Random()
TOOL = "/root/tool/bin/bundler"
FILES = 60
MANIFEST = "version: 1\nname: tool\nplatforms: [linux/amd64, linux/arm64]\n"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, runtime: ReadyRuntime) -> Iterator[NspawnHost]:
    """A host with the tool, two archives in /root, and a disk at /srv that loses what was not synced."""
    directory = tmp_path_factory.mktemp("carried")
    (directory / "tool.yaml").write_text(f"{MANIFEST}{runtime.entry}")
    runtime.build(directory / "tool.yaml", directory / "tool.tar.gz")
    many = {f"many/{number}": random.Random(number).randbytes(200_000) for number in range(FILES)}
    for name, contents in (("one", {**CONTENTS, **many}), ("two", {**CONTENTS, **many, "harbor/more": b"more"})):
        sample(directory / name, contents).write(directory / f"{name}.tar.gz")
    with stage(HostPlan("master", disks=("/srv",))) as (host,):
        for name in ("tool", "one", "two"):
            host.copy_in(directory / f"{name}.tar.gz", f"/root/{name}.tar.gz")
        host.start()
        host.sh("mkdir /root/tool && tar -xzf /root/tool.tar.gz -C /root/tool")
        yield host


def command(archive: str) -> tuple[str, ...]:
    return (TOOL, "unpack", f"/root/{archive}.tar.gz", "--root", "/srv/bundles", "--activate")


def state(host: NspawnHost) -> str:
    """Return what lies below the root: names, modes, sizes, and how many names each file has; no dates of this run."""
    listed = host.sh("cd /srv/bundles && find . ! -name .bundles.json ! -path . -printf '%p %y %m %s %n %l\\n' | sort")
    return "\n".join(line for line in listed.splitlines() if " d " not in line)


def is_in_the_middle(host: NspawnHost, running: subprocess.Popen[bytes]) -> bool:
    """Tell whether a run is putting a bundle together, or has ended before that was seen."""
    return running.poll() is not None or bool(host.sh("ls -A /srv/bundles | grep partial || true"))


def test_the_next_run_ends_as_if_the_power_had_stayed(host: NspawnHost) -> None:
    began = time.monotonic()
    for archive in ("one", "two"):
        assert host.run(*command(archive)).code == 0
    lasts_s = (time.monotonic() - began) / 2
    undisturbed = state(host)
    for number in range(CUTS):
        host.sh("rm -rf /srv/bundles && sync")
        assert host.run(*command("one")).code == 0
        first = host.sh("readlink /srv/bundles/current")
        host.sh("sync")
        with subprocess.Popen(host.command_line(*command("two")), stderr=subprocess.DEVNULL) as running:
            if number == 0:
                eventually(partial(is_in_the_middle, host, running), "it has begun")
            else:
                time.sleep(RANDOM.uniform(0.2, 1.2) * lasts_s)
            host.kill()
        host.start()
        active = host.sh("readlink /srv/bundles/current")
        # whichever it is, it is there as a whole; the one before is untouched
        for name in {first.strip(), active.strip()}:
            verified = host.run(TOOL, "verify", "--strict", f"/srv/bundles/{name}")
            assert verified.code == 0, verified.stderr
        again = host.run(*command("two"))
        assert again.code == 0, again.stderr
        assert state(host) == undisturbed
