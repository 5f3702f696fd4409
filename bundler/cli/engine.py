"""The container engine that commands work with. Apart from `wiring`, whose kinds of content they have no need of."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundler.push.docker import DockerEngine


def open_engine() -> DockerEngine:
    """Connect to the container engine that the environment names; the caller closes it. Raises SiteError."""
    # costs every other command a moment at its start
    from bundler.push.docker import DockerEngine

    return DockerEngine(os.environ)
