"""The stand-in of cloudcore and edgecore, compiled: one static program, so that it runs on hosts of any libc."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.stand_ins.kubeedge_programs import HERE

if TYPE_CHECKING:
    from pathlib import Path

_COMPILER = ("gcc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-static")


def core_program(directory: Path) -> bytes:
    """Compile the program in a directory, and return it; it acts by the name it is started under."""
    file = directory / "kubeedge-core"
    subprocess.run([*_COMPILER, "-o", file, HERE / "kubeedge_core.c"], check=True)
    return file.read_bytes()
