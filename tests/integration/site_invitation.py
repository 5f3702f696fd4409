"""An invitation on a booted master, and the line that a person types on an edge, with the code on a terminal."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.integration.site_stage import LONG_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hosts.nspawn_host import NspawnHost

_PIECE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Invited:
    """What the master shows for one edge.

    Arguments:
        shown: all of it.
    """

    shown: str
    line: str
    code: str


@contextmanager
def invitation(master: NspawnHost, *command: str) -> Iterator[Invited]:
    """Invite an edge on the master with a command; it has come when the block ends."""
    with master.started(*command) as inviting:
        assert inviting.stdout is not None
        assert inviting.stderr is not None
        shown, indented = "", list[str]()
        # the line for the edge, then the code
        while len(indented) < 2:
            line = inviting.stdout.readline().decode()
            assert line, inviting.stderr.read()
            shown += line
            indented += [line.strip()] if line.startswith("    ") else []
        yield Invited(shown, *indented)
        code = inviting.wait(LONG_S)
        assert code == 0, inviting.stderr.read()


def join_on_a_terminal(edge: NspawnHost, line: str, code: str) -> str:
    """Type the line on a terminal of the edge, and the code where it is asked for; return all that is shown."""
    master, slave = pty.openpty()

    def with_terminal() -> None:
        os.setsid()
        os.close(os.open(os.ttyname(slave), os.O_RDWR))

    shown = b""
    typed = False
    until = time.monotonic() + LONG_S
    with subprocess.Popen(
        edge.command_line("sh", "-c", line),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        preexec_fn=with_terminal,  # noqa: PLW1509 - nothing else runs in this process
    ) as joining:
        os.close(slave)
        while time.monotonic() < until:
            if select.select([master], [], [], 0.2)[0]:
                try:
                    shown += os.read(master, _PIECE_BYTES)
                except OSError:
                    # the terminal's other side is closed
                    break
            elif joining.poll() is not None:
                break
            if not typed and b"ode" in shown.rpartition(b"\n")[2] and shown.rstrip().endswith(b":"):
                os.write(master, code.encode() + b"\n")
                typed = True
        os.close(master)
        assert joining.wait(LONG_S) == 0, shown.decode(errors="replace")
    return shown.decode(errors="replace")
