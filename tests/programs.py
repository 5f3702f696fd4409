"""Which Debian package brings a program that tests talk to: `scripts/system-packages.txt`, read."""

from __future__ import annotations

import functools
from pathlib import Path

LIST = Path(__file__).parent.parent / "scripts" / "system-packages.txt"


@functools.cache
def packages() -> dict[str, str]:
    """Return program -> package."""
    lines = (line.partition("#")[0].split() for line in LIST.read_text().splitlines())
    return {words[0]: words[1] for words in lines if words}


def missing_program(error: FileNotFoundError) -> str:
    """Return what to say when a listed program could not be started or read, or "" when the error is another one."""
    program = Path(str(error.filename or "")).name
    package = packages().get(program, "")
    return f"{program} is not installed: apt-get install --no-install-recommends {package}" if package else ""
