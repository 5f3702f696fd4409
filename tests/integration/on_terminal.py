"""A command of ours whose stderr, or also stdout, is a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WITHIN_S = 60


def on_terminal(directory: Path, columns: int, *words: str, standard_output: bool = False) -> str:
    """Run a command in a directory, on a terminal of so many columns; return what it drew there."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    out = slave if standard_output else subprocess.DEVNULL
    command = [sys.executable, "-m", "bundler", *words]
    settings = {**os.environ, "TERM": "xterm", "XDG_CONFIG_HOME": str(directory)}
    with subprocess.Popen(command, cwd=directory, env=settings, stdout=out, stderr=slave) as process:
        os.close(slave)
        drawn = b""
        # Linux ends a terminal that nobody has open any more with EIO
        with suppress(OSError):
            while block := os.read(master, 1 << 16):
                drawn += block
        assert process.wait(WITHIN_S) == 0, drawn
    os.close(master)
    return drawn.decode()
