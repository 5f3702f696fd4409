"""A whole host: Debian booted with systemd by systemd-nspawn, with disks, a network card and a power switch.

    host.start()
    host.run("systemctl", "is-active", "ssh").code
    host.sh("echo text >/opt/file && sync")
    host.copy_in(tmp_path / "bundle.tar.gz", "/opt/bundle.tar.gz")
    host.kill()                     # the power is cut
    host.start()
    host.reboot()
    host.stop()
    fresh = host.snapshot()
    host.roll_back(fresh)

Files can be copied while it is off as well. There is no Python in it, no curl, no way out of its network.
"""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tests.hosts.commands import COMMAND_WITHIN_S, ENVIRONMENT, run_command
from tests.hosts.nspawn import WANTS_REBOOT, WITHIN_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bundler.host.interface import CommandResult
    from tests.hosts.enclosure import Enclosure
    from tests.hosts.network import Network
    from tests.hosts.nspawn import Nspawn
    from tests.hosts.storage import Snapshot, Storage

# on a machine of its own systemd has them writable; engines make groups for their containers
WRITABLE_GROUPS = "for group in /sys/fs/cgroup /sys/fs/cgroup/*/; do mount -o remount,rw,bind $group; done"


class NspawnHost:
    """One host, off at first.

    Attributes:
        name: its host name.
        address: on the stage's network.
    """

    def __init__(self, name: str, enclosure: Enclosure, hardware: Nspawn, storage: Storage, network: Network) -> None:
        self.name = name
        self.address = network.addresses[name]
        self._enclosure = enclosure
        self._hardware = hardware
        self._storage = storage
        self._network = network

    @property
    def running(self) -> bool:
        """Tell whether it is on."""
        return self._hardware.running

    def start(self) -> None:
        """Switch it on, and wait until systemd says that all is started (or that a unit failed)."""
        self.power_on()
        self.wait_until_up()

    def power_on(self) -> None:
        """Switch it on and return at once, so that several boot at the same time."""
        self._storage.attach()
        self._hardware.power_on(self._storage.root, self._network.path(self.name))

    def wait_until_up(self) -> None:
        """Wait until it is ready after `power_on`; AssertionError with the console when it ends before."""
        self._hardware.wait_for_init()
        state = self.run("systemctl", "is-system-running", "--wait", timeout_s=WITHIN_S).stdout.strip()
        assert state in ("running", "degraded"), f"{self.name} is {state!r}:\n{self._hardware.console()}"
        self.run("sh", "-c", WRITABLE_GROUPS)

    def command_line(self, *command: str, env: Mapping[str, str] | None = None, cwd: str = "/") -> list[str]:
        """Return what to start on this machine so that the command runs in the host; while it is off, in its tree."""
        environment = [f"{name}={value}" for name, value in {**ENVIRONMENT, **(env or {})}.items()]
        if self.running:
            enter = ["nsenter", f"--target={self._hardware.init}", "--all", "--"]
        else:
            self._storage.attach()
            enter = [*self._enclosure.prefix, "chroot", str(self._storage.root)]
        return [*enter, "env", "--ignore-environment", f"--chdir={cwd}", *environment, *command]

    def run(
        self,
        *command: str,
        stdin: bytes | IO[bytes] = b"",
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        timeout_s: float = COMMAND_WITHIN_S,
    ) -> CommandResult:
        """Run a program and return how it ended, 127 where there is none, 124 when it was ended after its time.

        Arguments:
            stdin: its input, or a file to read from.
            env: added to a plain environment: PATH, HOME, LC_ALL=C.
        """
        return run_command(self.command_line(*command, env=env, cwd=cwd), stdin, timeout_s)

    @contextmanager
    def started(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start a program whose output and errors can be read while it runs; it has ended when the block ends."""
        line, pipe = self.command_line(*command), subprocess.PIPE
        with subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe) as process:
            try:
                yield process
            finally:
                process.kill()

    def sh(self, script: str, **options: Any) -> str:
        """Run a script of sh and return what it printed; AssertionError when it fails. Options are those of `run`."""
        done = self.run("sh", "-euc", script, **options)
        assert done.code == 0, f"{self.name}: {script}: {done.code}\n{done.stdout}{done.stderr}"
        return done.stdout

    def copy_in(self, source: Path, target: str) -> None:
        """Copy a file with its mode, or a tree with modes, owners and links, to a new name."""
        if source.is_dir():
            with subprocess.Popen(["tar", "-C", source, "-cf", "-", "."], stdout=subprocess.PIPE) as packing:
                assert packing.stdout is not None
                script = 'mkdir -p "$TARGET" && tar -C "$TARGET" -xpf -'
                self.sh(script, stdin=packing.stdout, env={"TARGET": target})
            assert packing.returncode == 0
            return
        with source.open("rb") as file:
            script = 'mkdir -p "$(dirname "$TARGET")" && cat >"$TARGET" && chmod "$MODE" "$TARGET"'
            self.sh(script, stdin=file, env={"TARGET": target, "MODE": f"{source.stat().st_mode & 0o7777:o}"})

    def copy_out(self, source: str, target: Path) -> None:
        """Copy a file or a tree out of the host, to a new name."""
        parent, _, name = source.rstrip("/").rpartition("/")
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            command = self.command_line("tar", "-C", parent or "/", "-cf", "-", "--", name)
            with subprocess.Popen(command, stdout=subprocess.PIPE) as packing:
                subprocess.run(["tar", "-C", scratch, "-xpf", "-"], stdin=packing.stdout, check=True)
            assert packing.returncode == 0, f"{self.name}: {source} could not be read"
            (Path(scratch) / name).rename(target)

    def stop(self) -> None:
        """Shut it down as its power button does."""
        self._hardware.press_power_button()
        code = self.wait_until_off()
        assert code == 0, f"{self.name} ended with {code}:\n{self._hardware.console()}"

    def kill(self) -> None:
        """Cut its power."""
        self._storage.cut_power()
        self._hardware.kill()
        self.wait_until_off()

    def reboot(self) -> None:
        """Let it reboot itself, and wait until it is up again."""
        self.run("systemctl", "reboot")
        code = self.wait_until_off()
        assert code == WANTS_REBOOT, f"{self.name} ended with {code}:\n{self._hardware.console()}"
        self.start()

    def wait_until_off(self) -> int:
        """Wait until it has ended by itself; returns WANTS_REBOOT when it asks to be started again, else 0."""
        code = self._hardware.wait()
        self._storage.detach()
        return code

    def end(self) -> None:
        """End its processes for good; its files stay."""
        self._hardware.end()

    def snapshot(self) -> Snapshot:
        """Return what is on its disks now; it must be off."""
        assert not self.running, f"{self.name} is on"
        return self._storage.snapshot()

    def roll_back(self, snapshot: Snapshot) -> None:
        """Put a snapshot on its disks, its own or that of another host; before, its power is cut when it is on."""
        if self.running:
            self.kill()
        self._storage.roll_back(snapshot)

    def cut_cable(self) -> None:
        """Take it from the network."""
        self._network.cut(self.name)

    def join_cable(self) -> None:
        """Put it on the network again."""
        self._network.join(self.name)

    def slow_cable(self, rate: str) -> None:
        """Let no more than this arrive from the network; the rate is as tc(8) writes it, such as 8mbit."""
        self._network.slow(self.name, rate)

    def held_back(self) -> int:
        """Return how often something for this host has waited since its cable is slow."""
        return self._network.held_back(self.name)
