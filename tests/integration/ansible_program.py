"""ansible-core in an environment of its own, made once for a machine: the project itself does without."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

PLACE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "kubeedge-bundler-test-ansible"


def ansible_playbook() -> Path:
    """Return the program, installed now where it was not."""
    PLACE.mkdir(parents=True, exist_ok=True)
    program = PLACE / "environment/bin/ansible-playbook"
    with (PLACE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            environment = PLACE / "environment"
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(environment)], check=True, capture_output=True)
            pip = [str(environment / "bin/python"), "-m", "pip", "install", "--quiet", "ansible-core"]
            subprocess.run(pip, check=True, capture_output=True)
    return program
