"""Namespaces in which everything of a stage lives, so that all of it ends with one process.

Mounts, links and processes made through `Enclosure.prefix` are seen by nobody else on this machine. The first process
inside waits for the end of its input, which is a pipe of ours: when the test's process is gone, killed or not, the
kernel ends that process, with it every process inside, and then the mounts and links, which nobody uses any more.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

WITHIN_S = 60
# Shared with the namespaces that hosts make of this one, so that what is unmounted here is so there, too; /run is that
# of this machine's services otherwise.
FIRST_PROCESS = "mount --make-rshared / && mount -t tmpfs tmpfs /run && echo ready && exec cat"


class Enclosure:
    """Namespaces of mounts, network and processes; they stay until `end`.

    Attributes:
        pid: of the first process inside, as this process sees it.
    """

    def __init__(self) -> None:
        command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._process = subprocess.Popen(
            [*command, "sh", "-c", FIRST_PROCESS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C at the terminal is for the tests, which end this in their own order
            start_new_session=True,
        )
        assert self._process.stdout is not None
        ready = self._process.stdout.readline()
        assert ready, "no namespaces: booted hosts want root that may mount (CAP_SYS_ADMIN)"
        (self.pid,) = children(self._process.pid)

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command line has to begin with to run inside."""
        return ("nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--")

    @property
    def network_prefix(self) -> tuple[str, ...]:
        """What the command line of a program of this machine has to begin with to be on the stage's network."""
        return ("nsenter", f"--net=/proc/{self.pid}/ns/net", "--")

    def do(self, *command: str | Path) -> str:
        """Run a command inside and return what it printed; AssertionError when it fails."""
        return succeed(*self.prefix, *command)

    def outside(self, path: Path) -> Path:
        """Return how this process names a path inside, where other things may be mounted."""
        return Path(f"/proc/{self.pid}/root") / path.relative_to("/")

    def end(self) -> None:
        """End every process inside, and wait until there are none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(WITHIN_S)
        self._process.stdout.close()


def children(pid: int) -> list[int]:
    """Return the children of a process; none when it is gone."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def succeed(*command: str | Path, timeout_s: float = WITHIN_S, env: dict[str, str] | None = None) -> str:
    """Run a program of this machine and return its stdout; AssertionError with all it printed when it fails."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, env=env, check=False
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout
