"""Plays the journey: `python -m scripts.demo_journey OUT UPSTREAM`. Every command is real, and so is what it prints.

The hosts are real too: Debian booted with systemd, without Python, on a network that leads nowhere else. What stands in
for something else is named.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.demo_journey.bundles import build
from scripts.demo_journey.needs import missing
from tests.hosts.stage import HostPlan, stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.hosts.nspawn_host import NspawnHost
    from tests.hosts.stage import Stage

ARCHIVE = "/root/kubernetes_kubeedge_allinone.tar.gz"
MOST_LINES = 14
WITHIN_S = 300
BESIDE = "198.51.100.254"
REGISTRY = 'version: 0.1\nstorage: {{filesystem: {{rootdirectory: "{}"}}}}\nhttp: {{addr: ":5000", secret: demo}}\n'


def part(title: str) -> None:
    """Name what comes next."""
    print(f"\n== {title}")


def do(host: NspawnHost, command: str) -> None:
    """Type a command on a host, and show what it prints."""
    print(f"{host.name}# {command}", flush=True)
    done = host.run("sh", "-c", f"cd /opt && {command}", timeout_s=WITHIN_S)
    lines = [*done.stdout.splitlines(), *(done.stderr.splitlines() if done.code else ())]
    shown = lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES // 2], "   …", *lines[-MOST_LINES // 2 :]]
    print("\n".join(shown), flush=True)
    if done.code:
        raise SystemExit(f"scripts/demo: {command!r} ended with {done.code}")


def eventually(host: NspawnHost, command: str) -> None:
    """Wait until a command succeeds on a host."""
    until = time.monotonic() + WITHIN_S
    while host.run("sh", "-c", command).code != 0:
        if time.monotonic() > until:
            raise SystemExit(f"scripts/demo: {command!r} never succeeded on {host.name}")
        time.sleep(0.2)


@contextmanager
def beside(site: Stage, *command: str) -> Iterator[None]:
    """Run a program of this machine on the hosts' network."""
    output = subprocess.DEVNULL
    process = subprocess.Popen([*site.beside, *command], stdout=output, stderr=output, stdin=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def play(site: Stage, out: Path, second: Path) -> None:
    """Play all parts but the first."""
    master, edge = site.hosts
    part("On the master: no Python, no internet. tar and two commands")
    do(master, "command -v python3 python pip || echo there is no Python")
    do(master, f"tar -zxf {ARCHIVE} -C /opt")
    do(master, "sh /opt/install.sh --plan --prefix /usr/local --mirror")
    do(master, "sh /opt/install.sh --prefix /usr/local --mirror")
    eventually(edge, "curl -fsS http://master:8088/-/health")
    part("The images into a registry (a plain one stands in for Harbor, beside the hosts)")
    (out / "registry.yml").write_text(REGISTRY.format(out.absolute() / "registry"))
    with beside(site, "docker-registry", "serve", str(out / "registry.yml")):
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
