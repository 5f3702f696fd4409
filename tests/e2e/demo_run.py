"""scripts/demo, run by a test: where it left its result, and what it printed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
# setting up .venv on a new machine, and building the hosts of its last part, belong to it
DEMO_WITHIN_S = 1200


@dataclass(frozen=True, slots=True)
class Demo:
    """One finished run."""

    directory: Path
    said: str

    @property
    def upstream(self) -> str:
        """HOST:PORT of the upstream it had."""
        found = re.search(r"--set upstream=(\S+)", self.said)
        assert found is not None, self.said
        return found[1]

    @property
    def unpacked(self) -> Path:
        """The bundle's tree."""
        return self.directory / "unpacked"

    @property
    def images(self) -> list[dict[str, Any]]:
        """The images of its lock, which are for two platforms."""
        lock = json.loads((self.unpacked / "lock.json").read_text())
        found = [artifact for entry in lock["entries"] if entry["kind"] == "images" for artifact in entry["artifacts"]]
        platforms = {image["platform"] for artifact in found for image in artifact["manifests"]}
        assert platforms == {"linux/amd64", "linux/arm64"}
        return found


def run_demo(directory: Path, *words: str, code: int = 0, environment: Mapping[str, str] | None = None) -> Demo:
    """Run the demo into a directory; it has to end with this code.

    Arguments:
        environment: added to that of the tests.
    """
    with _started(directory, *words, environment=environment) as process:
        out, errors = process.communicate(timeout=DEMO_WITHIN_S)
    assert process.returncode == code, out + errors
    return Demo(directory, out + errors)


def interrupt_demo(directory: Path) -> None:
    """Run the demo into a directory, and end it while its mirror and its upstream serve."""
    with _started(directory) as process:
        assert process.stdout is not None
        seen = []
        for line in process.stdout:
            seen.append(line)
            if line.startswith("$ mirror verify"):
                process.terminate()
        assert process.wait(DEMO_WITHIN_S) == 143, "".join(seen)


def _started(directory: Path, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [ROOT / "scripts" / "demo", *words, directory],
        # where the caller stands and its proxies make no difference
        cwd="/",
        env={
            **os.environ,
            "http_proxy": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
            **(environment or {}),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
