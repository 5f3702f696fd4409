"""What is carried to hosts without Python, and what is asked of them from beside."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

from scripts.demo_journey.bundles import RUNTIME
from tests.integration.demo_bundle import build_demo
from tests.integration.portable_python import portable_python

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.hosts.stage import Stage


def build_demo_with_runtime(directory: Path, cache: Path, archives: Mapping[str, str]) -> None:
    """Build archives of the demo in a directory, each with the tool.

    Arguments:
        cache: of pytest, for the Python.
        archives: by their names, what stands at the end of each one's manifest.
    """
    python = portable_python(cache)
    runtime = RUNTIME.format(url=python.as_uri(), digest=hashlib.sha256(python.read_bytes()).hexdigest())
    build_demo(directory, {name: runtime + further for name, further in archives.items()})


def asked(site: Stage, url: str) -> str:
    """Return what a program beside the hosts gets from a URL, "" when it gets nothing."""
    done = subprocess.run([*site.beside, "curl", "-fsS", url], capture_output=True, text=True, check=False)
    return done.stdout
