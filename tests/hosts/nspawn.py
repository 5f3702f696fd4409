"""systemd-nspawn as the hardware of a host: switched on, shut down, and what its end means."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hosts.enclosure import children

if TYPE_CHECKING:
    from tests.hosts.enclosure import Enclosure

# nothing takes that long, except where something is wrong
WITHIN_S = 60
POLL_S = 0.02
# systemd-nspawn(1): the host asks to be started again
WANTS_REBOOT = 133
OPTIONS = (
    # the machine outside may have no systemd
    *("--quiet", "--boot", "--register=no", "--keep-unit", "--settings=no", "--console=pipe"),
    # what a real host may do and containers may not
    *("--capability=all", "--system-call-filter=@keyring bpf"),
    *("--resolv-conf=off", "--timezone=off", "--link-journal=no"),
)


class Nspawn:
    """A host's hardware, off at first.

    Arguments:
        groups: control groups of its own.
        console: takes what the host prints while it boots.

    Attributes:
        init: the host's first process, as this machine sees it; 0 before it has booted.
    """

    def __init__(self, name: str, enclosure: Enclosure, groups: list[Path], console: Path) -> None:
        self._name = name
        self._enclosure = enclosure
        self._groups = groups
        self._console = console
        self._process: subprocess.Popen[bytes] | None = None
        self.init = 0

    @property
    def running(self) -> bool:
        """Tell whether it is on."""
        return self._process is not None and self._process.poll() is None

    def power_on(self, root: Path, network: str) -> None:
        """Boot a tree, with a namespace as its network card; both as they are called inside the enclosure."""
        assert not self.running, f"{self._name} is on"
        command = ["systemd-nspawn", *OPTIONS, f"--machine={self._name}", f"--directory={root}"]
        joined = "".join(f"echo 0 >{shlex.quote(str(group / 'cgroup.procs'))}; " for group in self._groups)
        self.init = 0
        with self._console.open("ab") as console:
            self._process = subprocess.Popen(
                [
                    *("sh", "-ec", f'{joined}exec "$@"', "sh", *self._enclosure.prefix),
                    *(*command, f"--network-namespace-path={network}"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for_init(self) -> None:
        """Wait until systemd answers in the host, and learn its pid."""
        process, until = self._process, time.monotonic() + WITHIN_S
        while process is not None and process.poll() is None and time.monotonic() < until:
            # the only child of systemd-nspawn, once systemd runs
            for pid in (init for nspawn in children(process.pid) for init in children(nspawn)):
                if Path(f"/proc/{pid}/root/run/systemd/private").exists():
                    self.init = pid
                    return
            time.sleep(POLL_S)
        raise AssertionError(f"{self._name} did not boot:\n{self.console()}")

    def console(self) -> str:
        """Return the end of what the host printed while it booted and ended."""
        return self._console.read_text(errors="replace")[-4000:]

    def press_power_button(self) -> None:
        """Ask the booted host to shut down."""
        assert self._process is not None
        # nsenter(1) waits for what runs in another namespace of processes
        (nspawn,) = children(self._process.pid)
        os.kill(nspawn, signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, with every process in it, booted or not."""
        assert self._process is not None
        assert self.running, f"{self._name} is off:\n{self.console()}"
        if self.init:
            os.kill(self.init, signal.SIGKILL)
        else:
            os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for its end; returns WANTS_REBOOT, 0 when it has shut itself down, or another code."""
        assert self._process is not None, f"{self._name} has never been on"
        return self._process.wait(WITHIN_S)

    def end(self) -> None:
        """End it for good, whatever state it is in."""
        if self._process is not None and self.running:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(WITHIN_S)
