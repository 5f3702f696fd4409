"""A host below a directory, on which keadm's stand-in runs as on a real one: for tests that boot nothing.

Its commands (sudo, systemctl, yum, pidof) log their calls and do what the recordings' own stubs did; kubectl is the
stand-in. Nothing outside the directory is touched.
"""

from __future__ import annotations

import os
import subprocess
from typing import IO, TYPE_CHECKING

from tests.stand_ins.kubeedge_programs import HERE, kubeedge_files

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = b"#!/bin/sh\nexit 0\n"
KUBECONFIG = "server: https://10.99.0.1:6443\n"
_LOG = 'printf \'%s\\n\' "$(echo "$name $*" | sed "s|$STAND_IN_ROOT/|/|g")" >>"$STAND_IN_ROOT/host.log"\n'
_STUBS = {
    "sudo": '[ "$1" = -E ] && shift\nexec "$@"\n',
    "systemctl": '[ "$1" = start ] && : >"$STAND_IN_ROOT/run/${2%.service}"\nexit 0\n',
    "yum": 'echo "Cannot find a valid baseurl for repo: base/7/x86_64" >&2\nexit 1\n',
}


class RootedHost:
    """A host's root directory, with KubeEdge's files in /etc/kubeedge and mosquitto running.

    Attributes:
        root: what stands for /.
    """

    def __init__(self, root: Path, mosquitto: str = "/usr/sbin/mosquitto") -> None:
        self.root = root
        commands = root / "commands"
        for directory in ("commands", "run", "root/.kube", "etc/systemd/system"):
            (root / directory).mkdir(parents=True)
        for name, body in _STUBS.items():
            self._program(commands / name, f"name={name}\n{_LOG}{body}")
        self._program(commands / "wget", "exit 4\n")
        self._program(commands / "pidof", 'test -e "$STAND_IN_ROOT/run/$1"\n')
        self._program(commands / "kubectl", (HERE / "kubectl.sh").read_text())
        for path, data in kubeedge_files(PROGRAM, PROGRAM).items():
            file = root / "etc" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        self._program(root / "keadm", (root / "etc/kubeedge/keadm").read_text())
        (root / "root/.kube/config").write_text(KUBECONFIG)
        if mosquitto:
            (root / "run/stand-in-mosquitto").write_text(mosquitto)

    def path(self, name: str) -> Path:
        """Return where a path of the host lies."""
        return self.root / name.lstrip("/")

    def cluster(self, name: str) -> Path:
        """Return a file of the stand-in cluster's state."""
        directory = self.path("/var/lib/stand-ins/cluster")
        directory.mkdir(parents=True, exist_ok=True)
        return directory / name

    def environment(self) -> dict[str, str]:
        """Return the environment in which its programs run."""
        path = f"{self.root / 'commands'}:{os.environ['PATH']}"
        return {"PATH": path, "LC_ALL": "C", "STAND_IN_ROOT": str(self.root)}

    def keadm(self, *words: str, stdin: bytes | None = b"") -> subprocess.CompletedProcess[str]:
        """Call keadm to its end.

        Arguments:
            stdin: what it reads; None for a closed one.
        """
        command = ["sh", str(self.root / "keadm"), *words]
        if stdin is None:
            command = ["sh", "-c", 'exec "$@" <&-', "sh", *command]
        done = subprocess.run(command, input=stdin or b"", env=self.environment(), capture_output=True, check=False)
        return subprocess.CompletedProcess(
            command, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )

    def begin_keadm(self, *words: str, stdin: IO[bytes] | int) -> subprocess.Popen[bytes]:
        """Start keadm, for what does not end by itself."""
        command = ["sh", str(self.root / "keadm"), *words]
        return subprocess.Popen(
            command, stdin=stdin, stdout=subprocess.PIPE, env=self.environment(), start_new_session=True
        )

    def host_commands(self) -> list[str]:
        """Return the calls of the host's commands so far."""
        log = self.root / "host.log"
        return log.read_text().splitlines() if log.exists() else []

    def _program(self, file: Path, text: str) -> None:
        file.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}")
        file.chmod(0o755)
