"""The container engine that commands use. Separate from `wiring`, which loads the kinds of content."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundler.push.docker import DockerEngine


def open_engine() -> DockerEngine:
    """Connect to the container engine that the environment names; the caller closes it. Raises SiteError."""
    from bundler.push.engine_address import require_socket

    # docker-py takes longer to load than all of ours: not where there is no engine, nor for any other command
    require_socket(os.environ)
    from bundler.push.docker import DockerEngine

    return DockerEngine(os.environ)
