"""The container engine that commands use. Separate from `wiring`, which loads the kinds of content."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundler.push.docker import DockerEngine


def open_engine() -> DockerEngine:
    """Connect to the container engine that the environment names; the caller closes it. Raises SiteError."""
    # imported here because it would slow down the start of every other command
    from bundler.push.docker import DockerEngine

    return DockerEngine(os.environ)
