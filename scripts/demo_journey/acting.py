"""Commands typed on booted hosts, and what they print, shown as on a terminal."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hosts.nspawn_host import NspawnHost
    from tests.hosts.stage import Stage

MOST_LINES = 14
WITHIN_S = 300
REGISTRY = 'version: 0.1\nstorage: {{filesystem: {{rootdirectory: "{}"}}}}\nhttp: {{addr: ":5000", secret: demo}}\n'


def part(title: str) -> None:
    """Name what comes next."""
    print(f"\n== {title}")


def do(host: NspawnHost, command: str, *, most_lines: int = MOST_LINES, progress: bool = False) -> None:
    """Type a command on a host, and show what it prints.

    Arguments:
        most_lines: how much of it at most.
        progress: what goes to stderr as well, in its order.
    """
    print(f"{host.name}# {command}", flush=True)
    done = host.run("sh", "-c", f"{'exec 2>&1; ' if progress else ''}cd /opt && {command}", timeout_s=WITHIN_S)
    lines = [*done.stdout.splitlines(), *(done.stderr.splitlines() if done.code else [])]
    shown = lines if len(lines) <= most_lines else [*lines[: most_lines // 2], "   …", *lines[-most_lines // 2 :]]
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


@contextmanager
def registry_beside(site: Stage, out: Path) -> Iterator[None]:
    """Run a plain registry on the hosts' network, port 5000 of `beside`."""
    (out / "registry.yml").write_text(REGISTRY.format(out.absolute() / "registry"))
    with beside(site, "docker-registry", "serve", str(out / "registry.yml")):
        yield
