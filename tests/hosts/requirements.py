"""What hosts want of this machine; where it is missing a test is skipped, which CI forbids."""

from __future__ import annotations

import errno
import os
import shutil

import pytest


def require_root(*programs: str) -> None:
    """Skip without root; raise FileNotFoundError for a missing program, which becomes a skip that names its package."""
    if os.geteuid() != 0:
        pytest.skip("hosts want root")
    for program in programs:
        if shutil.which(program) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), program)
