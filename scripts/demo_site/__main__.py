"""Plays a site: `python -m scripts.demo_site OUT UPSTREAM`. Every command is real, and so is what it prints.

What stands in for something else, and what is left out because it cannot be had, is named before and where it happens.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.demo_journey.acting import do, part, registry_beside
from scripts.demo_journey.bundles import build_release
from scripts.demo_journey.needs import missing
from tests.hosts.stage import stage
from tests.integration.site_stage import (
    CANNOT_BE_HAD,
    CONFIG,
    PLAYED,
    SITE,
    PlayedRole,
    carry,
    plans,
    start_cloudcore,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.hosts.stage import Stage

REAL = {
    "the hosts": "Debian, booted with systemd, on a network that leads nowhere",
    "the bundle": "packages, files and images of the demo, and this tool with its own Python",
    "the packages": "installed by dnf from the bundle's repository, signatures checked",
    "the mirror": "a service of systemd",
}
MOST_LINES = 60


def introduce() -> None:
    """Say what is real, what is played and what is left out."""
    for title, table in (("real", REAL), ("played", PLAYED), ("left out", CANNOT_BE_HAD)):
        print(f"{title}:")
        print("\n".join(f"  {name:<18} {what}" for name, what in table.items()))


def play_role(played: PlayedRole) -> None:
    """Plan, apply, apply again and check a role, a step at a time."""
    words = " ".join((played.role, *played.options))
    do(played.host, f"bundler site plan {words}", most_lines=MOST_LINES)
    taken = []
    for name in played.names:
        if reason := played.left_out(name):
            print(f"({name} is left out: {reason})")
            continue
        do(played.host, f"bundler site apply {words} --only {name}", progress=True)
        taken.append(name)
    print("(again: nothing is left to do)")
    for name in taken:
        do(played.host, f"bundler site apply {words} --only {name}")
        do(played.host, f"bundler site check {words} --only {name}")


def play(site: Stage, archive: Path) -> None:
    """Play all of it."""
    master, edge = site.hosts
    cloud, other = PlayedRole(master, "cloud"), PlayedRole(edge, "edge", ("--host", "edge1"))
    for host in (master, edge):
        carry(host, archive)
        host.sh(f"sh /opt/install.sh --prefix /usr/local && mkdir -p /etc/bundler && mv {CONFIG} /etc/bundler/")
        write(host, CONFIG, SITE.replace("HTTP_PORT", "8088"))
    part("On the master: the site's description")
    do(master, "bundler site init /root/first.yaml && head -n 16 /root/first.yaml")
    print("(it is looked over, and the edges are added)")
    do(master, "cat /etc/bundler/site.yaml; bundler site check-config")
    part("On the master: its role, a step at a time")
    play_role(cloud)
    start_cloudcore(master)
    part("On the edge: its role")
    play_role(other)
    part("All of it away again")
    do(edge, "bundler site undo edge --host edge1", progress=True)
    do(master, "bundler site undo cloud", progress=True)


def main(arguments: Sequence[str]) -> int:
    """Play the site, or say why not; 1 when that must not be (CI)."""
    out, address = Path(arguments[0]), arguments[1]
    part("A site of a master and an edge, set up by `bundler site`")
    if reasons := missing():
        print("not played:", *reasons, sep="\n  ")
        return 1 if os.environ.get("CI") else 0
    introduce()
    archive = build_release(out, address, "1")
    with stage(*plans()) as site, registry_beside(site, out):
        for host in site:
            host.power_on()
        for host in site:
            host.wait_until_up()
        play(site, archive)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
