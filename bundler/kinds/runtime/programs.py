"""Running a program to its end: what it printed, and how it ended. Owns nothing of what programs are asked."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# a program that could not even be started, as a shell says it
NOT_STARTED = 127


@dataclass(frozen=True, slots=True)
class Ended:
    """A program that has ended; `output` and `complaint` are what it wrote to stdout and stderr."""

    status: int
    output: str
    complaint: str


def run(
    command: Sequence[str], *, environment: Mapping[str, str], directory: Path | None = None, text: str = ""
) -> Ended:
    """Run a program and wait for it.

    Arguments:
        environment: all of it.
        directory: where it runs; this process's own when left out.
        text: its standard input.
    """
    try:
        done = subprocess.run(
            command,
            env=dict(environment),
            cwd=directory,
            input=text,
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        return Ended(NOT_STARTED, "", f"cannot be run: {error.strerror}")
    return Ended(done.returncode, done.stdout, done.stderr)
