"""Plays a site: `python -m scripts.demo_site OUT UPSTREAM`. Every command is real, and so is what it prints.

What stands in for something else, and what is left out because it cannot be had, is named before.
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
from tests.integration.kubeedge_part import with_kubeedge
from tests.integration.site_invitation import invitation
from tests.integration.site_stage import CONFIG, LEFT_OUT, PLAYED, carry, make_ready, plans, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.hosts.nspawn_host import NspawnHost
    from tests.hosts.stage import Stage

REAL = {
    "the hosts": "Debian, booted with systemd, on a network that leads nowhere; the edge has nothing of ours",
    "the bundle": "packages, files and images of the demo, and this tool with its own Python",
    "the packages": "installed by dnf from the bundle's repository, signatures checked",
    "the mirror": "a service of systemd",
    "the engines": "Debian's dockerd, whose settings are merged, reloaded and taken over; images are pulled by it",
    "the invitation": "a code, a pinned certificate, a token over TLS",
    "certificates": "made and judged by openssl",
    "units": "cloudcore and edgecore are started, restarted and ended by systemd; mosquitto is Debian's",
}
MOST_LINES = 60
_CODE = "/root/code"


def introduce() -> None:
    """Say what is real, what is played and what is left out."""
    for title, table in (("real", REAL), ("played, after recordings of the real ones", PLAYED), ("left out", LEFT_OUT)):
        print(f"{title}:")
        print("\n".join(f"  {name:<20} {what}" for name, what in table.items()))


def play(site: Stage, archive: Path) -> None:
    """Play all of it."""
    master, edge = site.hosts
    carry(master, archive)
    make_ready(master, edge)
    master.sh(f"sh /opt/install.sh --prefix /usr/local && mkdir -p /etc/bundler && mv {CONFIG} /etc/bundler/")
    part("On the master: the site's description")
    do(master, "bundler site init /root/first.yaml && head -n 16 /root/first.yaml")
    print("(it is looked over, and the edges are added)")
    do(master, "cat /etc/bundler/site.yaml; bundler site check-config")
    part("On the master: what would be done, then all of it with one command")
    do(master, "bundler site plan cloud", most_lines=MOST_LINES)
    do(master, "bundler site apply cloud", most_lines=2 * MOST_LINES, progress=True)
    print("(again: nothing is left to do)")
    do(master, "bundler site apply cloud")
    part("On the edge: one line")
    _invite(master, edge)
    part("Both are asked whether it works")
    for host, role in ((master, "cloud"), (edge, "edge")):
        do(host, f"/opt/current/bin/bundler site check {role}" if host is edge else f"bundler site check {role}")
        do(host, "/opt/current/bin/bundler site doctor" if host is edge else "bundler site doctor", most_lines=40)
    do(edge, "/opt/current/bin/bundler site apply edge")
    part("All of it away again")
    do(edge, "/opt/current/bin/bundler site undo edge", progress=True, most_lines=40)
    do(master, "bundler site undo cloud", progress=True, most_lines=40)


def _invite(master: NspawnHost, edge: NspawnHost) -> None:
    """Invite the edge and let it join; a file stands for the terminal, which nobody sits at here."""
    command = ("bundler", "site", "invite", "--host", "edge1")
    print(f"{master.name}# {' '.join(command)}")
    with invitation(master, *command) as invited:
        print(invited.shown.rstrip(), flush=True)
        write(edge, _CODE, invited.code, "600")
        do(edge, f"{invited.line} --code-file {_CODE}", most_lines=2 * MOST_LINES, progress=True)


def main(arguments: Sequence[str]) -> int:
    """Play the site, or say why not; 1 when that must not be (CI)."""
    out, address = Path(arguments[0]), arguments[1]
    part("A site of a master and an edge, set up by `bundler site`")
    if reasons := missing():
        print("not played:", *reasons, sep="\n  ")
        return 1 if os.environ.get("CI") else 0
    introduce()
    archive = build_release(out, address, "1", with_kubeedge)
    with stage(*plans()) as site, registry_beside(site, out):
        for host in site:
            host.power_on()
        for host in site:
            host.wait_until_up()
        play(site, archive)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
