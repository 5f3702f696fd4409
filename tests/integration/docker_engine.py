"""Real Docker engines for tests: `dockerd` with a data root of its own, ended by its pid.

    with docker_engine(tmp_path / "engine") as engine:
        engine.docker("load", "-i", "image.tar")
        engine.docker("run", "--rm", "--network=none", "app:1")

DOCKERD in the environment names another engine's program: with it the same tests hold for a newer Docker.

Loopback registries are insecure registries by default. Scripts under test reach the engine through `environment`, and
by `ctr` the containerd that it runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

READY_LINE = "API listen on"
COMMAND_WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class DockerEngine:
    """A running engine; `socket` is its Unix socket, `directory` holds its storage and log."""

    socket: Path
    directory: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which the plain `docker` and `ctr` commands talk to this engine."""
        return {
            **os.environ,
            # the command that belongs to the engine goes before a newer one that a machine may have beside it
            "PATH": f"/usr/bin:{os.environ.get('PATH', '')}",
            "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_CONFIG": str(self.directory / "config"),
            "CONTAINERD_ADDRESS": str(self.socket.parent / "exec" / "containerd" / "containerd.sock"),
        }

    def emptied(self) -> DockerEngine:
        """Remove every image, and return the engine."""
        if found := self.docker("images", "-aq").split():
            self.docker("rmi", "-f", *dict.fromkeys(found))
        return self

    def docker(self, *arguments: str) -> str:
        """Run the docker command and return its stdout; AssertionError with its stderr when it fails."""
        done = subprocess.run(
            ["docker", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def docker_engine(
    directory: Path, *, runner: Sequence[str] = (), options: Sequence[str] = ()
) -> Iterator[DockerEngine]:
    """Run an engine until the context ends; it yields once the engine answers.

    Arguments:
        runner: what its command line begins with, to run in another network namespace.
        options: further ones of dockerd.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # a Unix socket's path holds 107 bytes at most, which pytest's directories can exceed
    runtime = Path(tempfile.mkdtemp(prefix="dockerd-"))
    socket = runtime / "docker.sock"
    command = [
        *runner,
        os.environ.get("DOCKERD", "dockerd"),
        f"--data-root={directory / 'root'}",
        f"--exec-root={runtime / 'exec'}",
        f"--pidfile={runtime / 'pid'}",
        f"--host=unix://{socket}",
        "--storage-driver=overlay2",
        "--iptables=false",
        "--bridge=none",
        *options,
    ]
    try:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as engine:
            assert engine.stderr is not None
            try:
                _wait_until_it_listens(engine.stderr)
                drain = threading.Thread(target=_drain, args=(engine.stderr, directory / "dockerd.log"))
                drain.start()
                try:
                    yield DockerEngine(socket, directory)
                finally:
                    engine.terminate()
                    drain.join()
            finally:
                engine.kill()
    finally:
        # an engine that was killed leaves its data mounted over themselves; one that ended did away with that
        subprocess.run(["umount", "--lazy", directory / "root"], capture_output=True, check=False)
        shutil.rmtree(runtime, ignore_errors=True)


def _wait_until_it_listens(log: IO[str]) -> None:
    said: deque[str] = deque(maxlen=20)
    for line in log:
        said.append(line)
        if READY_LINE in line:
            return
    raise AssertionError("dockerd ended before it listened:\n" + "".join(said))


def _drain(log: IO[str], path: Path) -> None:
    with path.open("w") as file:
        file.writelines(log)
