"""A bundle of a few images, the command that pushes it, and what a registry has afterwards.

bundle = small_bundle(tmp_path)
done = push(registry, bundle.root)                                  # `bundler push-images --json`, as a process
assert done.outcomes == {"demo/app:1": "pushed", …}
skopeo_digest(registry, "demo/app:1")
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.integration.placed_images import AMD64, ARM64, PlacedImages, place_images

if TYPE_CHECKING:
    from tests.integration.registries import Registry

APP, OTHER, PAUSE = "docker.io/demo/app:1", "quay.io/coreos/other:v2", "registry.k8s.io/pause:3.5"
TARGETS = {"demo/app:1": APP, "coreos/other:v2": OTHER, "library/pause:3.5": PAUSE}
WITHIN_S = 120


@dataclass(frozen=True, slots=True)
class PushedBundle:
    """An unpacked bundle."""

    root: Path
    placed: PlacedImages

    @property
    def digests(self) -> dict[str, str]:
        """Target -> digest of the lock."""
        return {target: self.placed.digests[source] for target, source in TARGETS.items()}

    @property
    def blobs(self) -> list[Path]:
        """The files of its images."""
        return sorted((self.root / "k8simage/blobs/sha256").iterdir())


@dataclass(frozen=True, slots=True)
class Done:
    """A run of the command that has ended."""

    code: int
    answer: dict[str, Any]
    stderr: str

    @property
    def outcomes(self) -> dict[str, str]:
        """Target -> outcome."""
        return {image["target"]: image["outcome"] for image in self.answer["images"]}


def small_bundle(scratch: Path, *, docker: bool = False, filler_bytes: int = 0, content: bytes = b"") -> PushedBundle:
    """Make three images, two of them for two platforms, in an unpacked bundle."""
    placed = place_images(
        scratch / "made",
        {APP: (AMD64, ARM64), OTHER: (AMD64, ARM64), PAUSE: (AMD64,)},
        docker=docker,
        filler_bytes=filler_bytes,
        content=content,
    )
    return PushedBundle(placed.write_bundle(scratch / "root"), placed)


def push_command(host: str, root: Path, *options: str) -> list[str]:
    """Return the command line."""
    program = str(Path(sys.executable).with_name("bundler"))
    # a machine may have an engine of its own
    via = () if "--via" in options else ("--via", "registry")
    return [program, "push-images", "--registry", host, "--root", str(root), *via, *options]


def push(
    registry: Registry | str,
    root: Path,
    *options: str,
    password: str | None = None,
    home: Path | None = None,
    engine: str | None = None,
) -> Done:
    """Run the command with --json, its password on stdin; `engine` is what DOCKER_HOST names."""
    host = registry if isinstance(registry, str) else registry.host
    login = [] if password is None else ["--username", "admin", "--password-stdin"]
    environment = {**os.environ, "HOME": str(home or root / "no-home")}
    environment |= {} if engine is None else {"DOCKER_HOST": engine}
    done = subprocess.run(
        [*push_command(host, root, *options), *login, "--json"],
        capture_output=True, text=True, input=password or "", timeout=WITHIN_S, check=False, env=environment,
    )  # fmt: skip
    return Done(done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr)


def skopeo_digest(registry: Registry, name: str) -> str:
    """Return the digest of what skopeo gets under a name, computed from its bytes."""
    login = ["--creds", f"{registry.username}:{registry.password}"] if registry.username else []
    command = ["skopeo", "inspect", "--raw", "--tls-verify=false", *login, f"docker://{registry.host}/{name}"]
    raw = subprocess.run(command, capture_output=True, check=True, timeout=WITHIN_S).stdout
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def skopeo_copy(registry: Registry, name: str, layout: Path) -> None:
    """Pull an image, all platforms, into an OCI layout: every blob is read and checked by skopeo."""
    login = ["--src-creds", f"{registry.username}:{registry.password}"] if registry.username else []
    source = f"docker://{registry.host}/{name}"
    command = ["skopeo", "--insecure-policy", "copy", "--all", "--quiet", "--src-tls-verify=false", *login, source]
    subprocess.run([*command, f"dir:{layout}"], check=True, timeout=WITHIN_S)
