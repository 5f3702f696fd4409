"""Two hosts on one machine, with nothing between them but a cable: network namespaces `master` and `edge`.

    with air_gap() as gap:
        gap.on_master("mirror", "serve", …)      # a command line to start there
        gap.edge("curl", "http://master:8088/")  # runs there, returns its output

Inside, `master` is a name that both know, and nothing else resolves. Needs root and iproute2.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# RFC 5737: addresses for documentation, which nobody has
MASTER = "198.51.100.1"
EDGE = "198.51.100.2"
WITHIN_S = 300


@dataclass(frozen=True, slots=True)
class AirGap:
    """The two hosts.

    Arguments:
        master_name, edge_name: of their namespaces.
    """

    master_name: str
    edge_name: str

    @property
    def on_edge(self) -> tuple[str, ...]:
        """What a command line has to begin with to run on the edge."""
        return ("ip", "netns", "exec", self.edge_name)

    @property
    def on_master(self) -> tuple[str, ...]:
        """The same for the master."""
        return ("ip", "netns", "exec", self.master_name)

    @property
    def on_edge_with_cgroups(self) -> tuple[str, ...]:
        """The same for a container engine: ip-netns(8) mounts /sys anew, and without its cgroups no engine starts."""
        hosts = Path("/etc/netns") / self.edge_name / "hosts"
        script = 'mount --bind "$0" /etc/hosts && exec "$@"'
        enter = ("nsenter", f"--net=/run/netns/{self.edge_name}", "unshare", "--mount")
        return (*enter, "sh", "-c", script, str(hosts))

    def edge(self, *command: str | Path, code: int = 0, cwd: Path | None = None) -> str:
        """Run a command on the edge; return what it printed, after it ended with this code."""
        return _run([*self.on_edge, *map(str, command)], code, cwd)

    def master(self, *command: str | Path, code: int = 0, cwd: Path | None = None) -> str:
        """Run a command on the master; return what it printed, after it ended with this code."""
        return _run([*self.on_master, *map(str, command)], code, cwd)


@contextmanager
def air_gap() -> Iterator[AirGap]:
    """Make the two hosts and their cable, and take all of it away again."""
    gap = AirGap(f"master-{os.getpid()}", f"edge-{os.getpid()}")
    cables = (f"vm{os.getpid()}", f"ve{os.getpid()}")
    names = (gap.master_name, gap.edge_name)
    try:
        for name in names:
            _run(["ip", "netns", "add", name], 0)
            # ip-netns(8): bound over /etc/hosts for whatever runs inside
            hosts = Path("/etc/netns") / name / "hosts"
            hosts.parent.mkdir(parents=True)
            hosts.write_text(f"127.0.0.1 localhost\n{MASTER} master\n{EDGE} edge\n")
        _run(["ip", "link", "add", cables[0], "type", "veth", "peer", "name", cables[1]], 0)
        for name, cable, address in zip(names, cables, (MASTER, EDGE), strict=True):
            _run(["ip", "link", "set", cable, "netns", name], 0)
            _run(["ip", "-n", name, "addr", "add", f"{address}/24", "dev", cable], 0)
            _run(["ip", "-n", name, "link", "set", "lo", "up"], 0)
            _run(["ip", "-n", name, "link", "set", cable, "up"], 0)
        yield gap
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
            shutil.rmtree(Path("/etc/netns") / name, ignore_errors=True)


def _run(command: Sequence[str], code: int, cwd: Path | None = None) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == code, f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr
