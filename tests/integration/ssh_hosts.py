"""Hosts for tests that ssh reaches: an sshd each, on an address of loopback, with a /run of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

WITHIN_S = 60
# where Ansible puts on a host what it brings
REMOTE = "/run/ansible"
# what a host does not share with the others; sshd wants /run/sshd
_PRIVATE = "mount -t tmpfs none /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f {file}"
_CONFIG = """ListenAddress {address}
Port {port}
HostKey {key}
AuthorizedKeysFile {authorized}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
Subsystem sftp internal-sftp
"""


@dataclass(frozen=True, slots=True)
class SshHosts:
    """Hosts that run.

    Arguments:
        addresses: name -> address.
        environment: by which Ansible reaches them.
        pids: name -> its sshd, whose mounts are the host's.
    """

    addresses: Mapping[str, str]
    environment: Mapping[str, str]
    pids: Mapping[str, int]

    def read(self, name: str, path: str) -> str:
        """Return a file of a host."""
        command = ["nsenter", "-t", str(self.pids[name]), "-m", "cat", path]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def names(self, name: str, path: str) -> list[str]:
        """Return what a directory of a host holds."""
        command = ["nsenter", "-t", str(self.pids[name]), "-m", "ls", "-A", path]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@contextmanager
def ssh_hosts(scratch: Path, *names: str) -> Iterator[SshHosts]:
    """Run an sshd for each name."""
    # whether it is there at all; by its whole path alone it starts itself anew
    subprocess.run(["sshd", "-V"], capture_output=True, check=False)
    key = scratch / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    addresses = {name: f"127.0.0.{number}" for number, name in enumerate(names, 11)}
    with ExitStack() as closing:
        pids = {}
        for name, address in addresses.items():
            file = scratch / f"{name}.sshd"
            file.write_text(_CONFIG.format(address=address, port=port, key=key, authorized=f"{key}.pub"))
            command = ["unshare", "--mount", "sh", "-c", _PRIVATE.format(file=file)]
            running = subprocess.Popen(command, stderr=subprocess.DEVNULL, process_group=0)
            closing.callback(_end, running)
            _await(address, port, running)
            pids[name] = running.pid
        options = f"-i {key} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -F none"
        environment = {
            "ANSIBLE_REMOTE_PORT": str(port),
            "ANSIBLE_REMOTE_USER": "root",
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_SSH_ARGS": options,
            "ANSIBLE_CONFIG": str(scratch / "none.cfg"),
            "ANSIBLE_HOME": str(scratch / "ansible"),
            "ANSIBLE_REMOTE_TMP": REMOTE,
            "HOME": str(scratch),
            "LC_ALL": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        (scratch / "none.cfg").touch()
        yield SshHosts(addresses, environment, pids)


def _await(address: str, port: int, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        assert running.poll() is None, "sshd ended"
        try:
            socket.create_connection((address, port), WITHIN_S).close()
        except OSError:
            os.sched_yield()
        else:
            return
    raise AssertionError(f"nobody listens on {address}:{port}")


def _end(running: subprocess.Popen[bytes]) -> None:
    os.killpg(running.pid, signal.SIGTERM)
    running.wait(WITHIN_S)
