"""A whole upstream on loopback (files that may misbehave, a real registry), and `bundler` as a process."""

from __future__ import annotations

import hashlib
import io
import os
import random
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fakes.faulty_server import FaultyServer, ServedFile, faulty_server
from tests.integration.images import make_image
from tests.integration.registries import Registry, plain_registry

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = Path(sys.executable).with_name("bundler")
COMMAND_WITHIN_S = 180
IMAGES = ("demo/app:1", "demo/tool:2")
BIG_BYTES = 3_000_000


@dataclass(frozen=True, slots=True)
class Upstream:
    """`files` and `registry` run; `big` are the bytes of /big.bin, `directory` is the test's own."""

    files: FaultyServer
    registry: Registry
    big: bytes
    directory: Path

    def manifest(self, *extra_files: str, name: str = "site.yaml") -> Path:
        """Write a manifest of everything here; `extra_files` are further items of `files:` in flow style."""
        path = self.directory / name
        lines = [
            "version: 1",
            "name: allinone",
            "platforms: [linux/amd64, linux/arm64]",
            "files:",
            f"  - {{path: kubeedge/big.bin, url: '{self.files.url('/big.bin')}'}}",
            (
                f"  - {{path: 'kubeedge/keadm-${{arch}}', url: '{self.files.url('/keadm-${arch}.tar.gz')}',"
                f" checksum_url: '{self.files.url('/keadm-${arch}.sha512')}', member: keadm/keadm, mode: '0755'}}"
            ),
            *(f"  - {item}" for item in extra_files),
            "images:",
            *(f"  - {self.registry.host}/{image}" for image in IMAGES),
        ]
        path.write_text("\n".join(lines) + "\n")
        return path


@contextmanager
def upstream(directory: Path) -> Iterator[Upstream]:
    """Run an upstream of two files per platform, one big file, and two images of two platforms that share a layer."""
    with faulty_server() as files, plain_registry(directory / "registry") as registry:
        big = random.Random(1).randbytes(BIG_BYTES)
        files.files["/big.bin"] = ServedFile(big)
        for arch in ("amd64", "arm64"):
            archive = _archive(f"keadm for {arch}\n".encode())
            files.files[f"/keadm-{arch}.tar.gz"] = ServedFile(archive)
            files.files[f"/keadm-{arch}.sha512"] = ServedFile(hashlib.sha512(archive).hexdigest().encode() + b"\n")
        for image in IMAGES:
            layout = directory / "layout"
            make_image(layout, image, platforms=("linux/amd64", "linux/arm64", "linux/s390x"), attestations=True)
            registry.fill(layout, image, image)
        yield Upstream(files, registry, big, directory)


def environment(directory: Path, **variables: str) -> dict[str, str]:
    """Return an environment in which nothing of this machine's user is seen."""
    return {"PATH": os.environ["PATH"], "HOME": str(directory / "home"), "LANG": "C", **variables}


@contextmanager
def start(directory: Path, *arguments: str | Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """Start bundler in a directory, its store in `store/` there unless BUNDLER_STORE says otherwise.

    It is killed at the end of the context when it still runs: a failed assertion must not wait for it.
    """
    variables.setdefault("BUNDLER_STORE", str(directory / "store"))
    with subprocess.Popen(
        [PROGRAM, *map(str, arguments)],
        cwd=directory,
        env=environment(directory, **variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def run(directory: Path, *arguments: str | Path, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run bundler to its end and check its exit code."""
    with start(directory, *arguments, **variables) as process:
        out, err = process.communicate(timeout=COMMAND_WITHIN_S)
    assert process.returncode == code, f"exit {process.returncode}, wanted {code}\n{out}\n{err}"
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def sha256(path: Path) -> str:
    """Return a file's SHA-256 in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def names(directory: Path) -> list[str]:
    """Return what lies directly in a directory, sorted; nothing when it does not exist."""
    return sorted(entry.name for entry in directory.iterdir()) if directory.exists() else []


def _archive(program: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("keadm/keadm")
        member.size, member.mode, member.mtime = len(program), 0o755, 1_600_000_000
        tar.addfile(member, io.BytesIO(program))
    return buffer.getvalue()
