"""Plays the journey: `python -m scripts.demo_journey OUT UPSTREAM`. Every command is real, and so is what it prints.

The hosts are real too: Debian booted with systemd, without Python, on a network that leads nowhere else. What stands in
for something else is named.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.demo_journey.acting import beside, do, eventually, part, registry_beside
from scripts.demo_journey.bundles import build
from scripts.demo_journey.needs import missing
from tests.hosts.stage import HostPlan, stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.hosts.stage import Stage

ARCHIVE = "/root/kubernetes_kubeedge_allinone.tar.gz"
BESIDE = "198.51.100.254"


def play(site: Stage, out: Path, second: Path) -> None:
    """Play all parts but the first."""
    master, edge = site.hosts
    part("On the master: no Python, no internet. tar and two commands")
    do(master, "command -v python3 python pip || echo there is no Python")
    do(master, f"tar -zxf {ARCHIVE} -C /opt")
    do(master, "/opt/bin/mirror serve --root /opt >/dev/null 2>&1 & echo $! >/run/by-hand")
    eventually(edge, "curl -fsS http://master:8088/-/health")
    do(edge, "curl -fsS http://master:8088/docs/notes.txt; curl -fsS ftp://master/docs/notes.txt")
    do(master, "kill $(cat /run/by-hand); while test -e /proc/$(cat /run/by-hand); do sleep 0.1; done")
    part("The same as a service, which is there again after the host was started anew")
    do(master, "sh /opt/install.sh --plan --prefix /usr/local --mirror")
    do(master, "sh /opt/install.sh --prefix /usr/local --mirror")
    eventually(edge, "curl -fsS http://master:8088/-/health")
    print(f"{master.name}# reboot", flush=True)
    master.reboot()
    eventually(edge, "curl -fsS http://master:8088/-/health")
    do(master, "mirror service status")
    part("The images into a registry (a plain one stands in for Harbor, beside the hosts)")
    with registry_beside(site, out):
        eventually(edge, f"curl -fsS http://{BESIDE}:5000/v2/")
        do(master, f"bundler push-images --registry {BESIDE}:5000 --plain-http")
    part("On an edge: its part of the bundle, with one line")
    do(edge, "curl -fsSo edge.sh http://master:8088/-/edge.sh && sh edge.sh")
    do(edge, "/opt/current/bin/bundler verify /opt/current")
    part("The next release, from a mirror on another network (a process of this machine), then back")
    tree = out / "second"
    unpack = [sys.executable, "-m", "bundler", "unpack", str(second), "-C", str(tree)]
    subprocess.run(unpack, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    serving = ("serve", "--root", str(tree), "--http", "0.0.0.0:8088", "--ftp", "off", "--workers", "1")
    with beside(site, sys.executable, "-m", "mirror", *serving):
        eventually(edge, f"curl -fsS http://{BESIDE}:8088/-/health")
        do(master, f"bundler unpack http://{BESIDE}:8088/ --root /opt --activate")
    do(master, "bundler bundles --root /opt")
    eventually(edge, "curl -fsS http://master:8088/docs/news.txt")
    do(edge, "curl -fsS http://master:8088/docs/news.txt")
    do(master, "bundler activate . --root /opt")
    part("All of it away again")
    # the mirror goes back to the runtime of the first release meanwhile
    eventually(master, "cd /opt && bundler remove demo_allinone-* --root /opt")
    do(master, "bundler bundles --root /opt")
    do(master, "sh /opt/install.sh --uninstall --purge --prefix /usr/local")
    do(master, "ls -A /opt")
    do(edge, "cd /opt && current/bin/bundler remove --deactivate demo_allinone-* --root /opt")
    do(edge, "ls -A /opt")


def main(arguments: Sequence[str]) -> int:
    """Play the journey, or say why not; 1 when that must not be (CI)."""
    out, address = Path(arguments[0]), arguments[1]
    part("A bundle on its way to hosts that have nothing")
    if reasons := missing():
        print("not played:", *reasons, sep="\n  ")
        return 1 if os.environ.get("CI") else 0
    print("Two releases are built, with a runtime each. A CPython for glibc 2.17 stands in for the published one.")
    first, second = build(out, address)
    with stage(HostPlan("master"), HostPlan("edge", packages=("curl",))) as site:
        for host in site:
            host.power_on()
        for host in site:
            host.wait_until_up()
        site.hosts[0].copy_in(first, ARCHIVE)
        play(site, out, second)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
