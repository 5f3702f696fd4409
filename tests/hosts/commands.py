"""Programs that are run in hosts: how they end, and that they end in time."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import IO, TYPE_CHECKING

from bundler.host.interface import CommandResult

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND_WITHIN_S = 120
NOT_IN_TIME = 124
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C"}


def run_command(
    command: Sequence[str], stdin: bytes | IO[bytes], timeout_s: float, env: dict[str, str] | None = None
) -> CommandResult:
    """Run a command line and return how it ended; after its time it is ended with all that it started, with code 124.

    Arguments:
        stdin: its input, or a file to read from.
        env: its environment; None for ours.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE if isinstance(stdin, bytes) else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        start_new_session=True,
    )
    in_time = True
    try:
        out, err = process.communicate(stdin if isinstance(stdin, bytes) else None, timeout_s)
    except subprocess.TimeoutExpired:
        in_time = False
    finally:
        if process.returncode is None:
            # the group has what runs in the host's namespaces, too
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
    code = process.returncode if in_time else NOT_IN_TIME
    return CommandResult(code, out.decode(errors="replace"), err.decode(errors="replace"))
