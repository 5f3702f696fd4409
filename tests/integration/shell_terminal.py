"""A real shell on a terminal of its own, at which a test types a line with Tab in it, and sees what became of the line.

with shell("zsh", 'eval "$(bundler completion zsh)"', tmp_path) as terminal:
    terminal.completed("bundler sto") == "bundler store"
"""

from __future__ import annotations

import os
import pty
import select
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = Path(sys.executable).parent
# nothing takes that long, except where something is wrong
PATIENCE_S = 60.0
_READY, _DONE = "ready>", "line-is-done"
_TAB, _TO_BEGIN, _TO_END, _ENTER = "\t", "\x01", "\x05", "\r"
# how each shell is started without what this machine has configured, and how it gets a prompt
_STARTS = {
    "bash": (["bash", "--noprofile", "--rcfile", "{rc}", "-i"], f"PS1='{_READY}'\n"),
    "zsh": (["zsh", "-d", "-i"], f"PS1='{_READY}'\nbindkey -e\nunsetopt PROMPT_SP ZLE_BRACKETED_PASTE 2>/dev/null\n"),
    "fish": (
        ["fish", "--no-config", "--init-command", "source {rc}", "-i"],
        f"function fish_prompt; echo -n '{_READY}'; end\nset -g fish_greeting\n",
    ),
}


@dataclass(slots=True)
class ShellTerminal:
    """A shell that waits for a line."""

    descriptor: int
    directory: Path
    seen: str = ""

    def wait_for(self, text: str) -> None:
        """Read what the shell shows until a text is there, and forget it."""
        ends_s = time.monotonic() + PATIENCE_S
        while text not in self.seen:
            readable, _, _ = select.select([self.descriptor], [], [], ends_s - time.monotonic())
            piece = os.read(self.descriptor, 65536) if readable else b""
            assert piece, f"{text!r} was not shown, but:\n{self.seen}"
            self.seen += piece.decode(errors="replace")
        self.seen = self.seen.partition(text)[2]

    def completed(self, line: str) -> str:
        """Type a line and Tab behind it, and return what stands on it then."""
        found = self.directory / "found"
        found.unlink(missing_ok=True)
        # the words are written out instead of being run; the marker is not shown while it is typed
        rest = f" >found; echo {_DONE[:4]}''{_DONE[4:]}"
        self._type(f"{line}{_TAB}{_TO_BEGIN}printf '%s ' {_TO_END}{rest}{_ENTER}")
        self.wait_for(_DONE)
        self.wait_for(_READY)
        return found.read_text().strip()

    def _type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())


@contextmanager
def shell(name: str, setup: str, directory: Path) -> Iterator[ShellTerminal]:
    """Start a shell in a directory, which becomes its home, and end it.

    Arguments:
        name: `bash`, `zsh` or `fish`.
        setup: a line of its configuration.
    """
    command, prompt = _STARTS[name]
    rc = directory / ".zshrc"
    rc.write_text(f"{prompt}{setup}\n")
    kept = {key: value for key, value in os.environ.items() if key in ("LANG", "LC_ALL", "COVERAGE_PROCESS_START")}
    environment = {
        **kept,
        "PATH": f"{PROGRAMS}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(directory),
        "ZDOTDIR": str(directory),
        "TERM": "xterm",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    process, descriptor = pty.fork()
    if process == 0:
        try:
            os.chdir(directory)
            os.execvpe(name, [word.format(rc=rc) for word in command], environment)  # noqa: S606 - it is the shell
        finally:
            os._exit(127)
    try:
        terminal = ShellTerminal(descriptor, directory)
        terminal.wait_for(_READY)
        yield terminal
    finally:
        # the shell gets a hang-up
        os.close(descriptor)
        with suppress(ChildProcessError):
            os.waitpid(process, 0)
