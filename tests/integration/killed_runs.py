"""Commands that are killed at random moments. KILLS (a number) makes the tests longer that use it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BUNDLER = str(Path(sys.executable).with_name("bundler"))
KILLS = int(os.environ.get("KILLS", "8"))
RUN_WITHIN_S = 120
DATE_S = 1_600_000_000
RANDOM = random.Random()


def ended(command: Sequence[str], directory: Path, **variables: str) -> float:
    """Run a command to its successful end; return how long it took, in seconds."""
    began = time.monotonic()
    environment = {**os.environ, **variables}
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=RUN_WITHIN_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return time.monotonic() - began


def killed(command: Sequence[str], directory: Path, within_s: float, **variables: str) -> None:
    """Run a command, and kill it at a random moment unless it has ended."""
    environment = {**os.environ, **variables}
    process = subprocess.Popen(
        command, cwd=directory, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(RANDOM.uniform(0.1, within_s))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def write_manifest(directory: Path, name: str, *, changed: int = 0) -> Path:
    """Write a manifest of local files, an archive that members are taken from among them.

    Arguments:
        changed: how many of the files are others than those of the manifests that change none.
    """
    source = directory / "source"
    source.mkdir(exist_ok=True)
    lines = ["version: 1", f"name: {name}", "platforms: [linux/amd64]", "files:"]
    for number in range(20):
        file = _dated(source / f"{number}{name if number < changed else ''}")
        lines.append(f"  - {{path: files/{number}, url: source/{file.name}}}")
    for number in (1, 2, 3):
        _dated(source / f"m{number}")
    tar = source / "members.tar.gz"
    if not tar.exists():
        subprocess.run(["tar", "-C", source, "-czf", tar, "m1", "m2", "m3"], check=True)
        os.utime(tar, (DATE_S, DATE_S))
    lines += ["  - url: source/members.tar.gz", "    members: {'m1': members/1, 'm2': members/2, 'm3': members/3}"]
    manifest = directory / f"{name}.yaml"
    manifest.write_text("\n".join(lines) + "\n")
    return manifest


def _dated(file: Path) -> Path:
    """Write a file that is the same wherever and whenever it is written."""
    file.write_bytes(random.Random(file.name).randbytes(100_000))
    os.utime(file, (DATE_S, DATE_S))
    return file


def names_below(directory: Path) -> set[str]:
    """Return the paths of everything below a directory."""
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}
