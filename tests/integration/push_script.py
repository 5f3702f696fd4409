"""push.sh of a bundle as a process, and what registry and engine have afterwards."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.docker_engine import DockerEngine
    from tests.integration.registries import Registry

SHELLS = ("dash", "busybox sh", "bash")


def push(
    directory: Path, engine: DockerEngine, *arguments: str, shell: str = "sh", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the script of a directory; `variables` go into its environment."""
    return subprocess.run(
        [*shell.split(), str(directory / "push.sh"), *arguments],
        cwd="/",
        env={**engine.environment, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def tags(engine: DockerEngine) -> list[str]:
    """Return the names that an engine has, sorted."""
    return sorted(engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split())


def held(registry: Registry, name: str) -> str:
    """Return the config digest of what a registry has under a name."""
    done = subprocess.run(
        ["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{registry.host}/{name}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["config"]["digest"])
