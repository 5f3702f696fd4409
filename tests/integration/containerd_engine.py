"""A real containerd for tests, with storage and a socket of its own, used through `ctr` and ended by its pid.

    with containerd_engine(tmp_path / "containerd") as engine:
        engine.mirrors("registry.k8s.io", "http://127.0.0.1:8088")
        engine.ctr("images", "pull", "--hosts-dir", engine.hosts, "registry.k8s.io/pause:3.5")

Images are unpacked by the snapshotter `native`, which needs nothing of the file system below it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tests.integration.mirror_program import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMMAND_WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class Containerd:
    """A running containerd.

    Arguments:
        hosts: its directory of hosts.toml files.
        runner: what command lines begin with, to run in another network namespace.
    """

    socket: Path
    hosts: Path
    runner: Sequence[str] = ()

    def mirrors(self, registry: str, url: str) -> None:
        """Let a registry's images come from a mirror, and from nowhere else."""
        directory = self.hosts / registry
        directory.mkdir(parents=True)
        told = f'server = "{url}"\n\n[host."{url}"]\n  capabilities = ["pull", "resolve"]\n'
        (directory / "hosts.toml").write_text(told)

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run ctr to its end."""
        return subprocess.run(
            [*self.runner, "/usr/bin/ctr", "--address", self.socket, *arguments],
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN_S,
            check=False,
        )

    def ctr(self, *arguments: str | Path) -> str:
        """Run ctr and return its stdout; AssertionError with its stderr when it fails."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pull(self, reference: str, platform: str) -> None:
        """Pull an image for one platform, as the kubelet's containerd would."""
        self.ctr(
            "images", "pull", "--hosts-dir", self.hosts, "--snapshotter", "native", "--platform", platform, reference
        )

    def images(self) -> dict[str, str]:
        """Return name -> digest of every image."""
        lines = self.ctr("images", "list").splitlines()[1:]
        return {words[0]: words[2] for words in (line.split() for line in lines)}

    def blobs(self) -> set[str]:
        """Return the digests of all content."""
        return set(self.ctr("content", "list", "-q").split())


@contextmanager
def containerd_engine(directory: Path, runner: Sequence[str] = ()) -> Iterator[Containerd]:
    """Run containerd until the context ends; it yields once it answers."""
    directory.mkdir(parents=True, exist_ok=True)
    # a Unix socket's path holds 107 bytes at most, which pytest's directories can exceed
    runtime = Path(tempfile.mkdtemp(prefix="containerd-"))
    socket = runtime / "containerd.sock"
    config = directory / "config.toml"
    config.write_text(
        f'version = 2\nroot = "{directory / "root"}"\nstate = "{runtime / "state"}"\n'
        f'disabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "{socket}"\n'
        f'[ttrpc]\n  address = "{socket}.ttrpc"\n'
    )
    command = [*runner, "containerd", "--config", str(config)]
    try:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            drain = threading.Thread(target=_drain, args=(process.stderr, directory / "containerd.log"))
            drain.start()
            try:
                engine = Containerd(socket, directory / "hosts", tuple(runner))
                eventually(lambda: process.poll() is not None or engine.run("version").returncode == 0, "it answers")
                assert process.poll() is None, (directory / "containerd.log").read_text()
                yield engine
            finally:
                process.terminate()
                drain.join()
    finally:
        shutil.rmtree(runtime, ignore_errors=True)


def _drain(log: IO[str], path: Path) -> None:
    with path.open("w") as file:
        file.writelines(log)
