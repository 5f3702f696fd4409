"""What a person is told beside the answer: how much of it, in which colours, and the file that keeps it all.

Owns what `-q`, `-v`, `--no-progress`, `--color` and `--log-file` mean, for the process as a whole: it has one stderr.
Refuses to print (`console` does) and to know the command line (`output_options` does).
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Literal

from bundler.durable import storage_errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ColorWish = Literal["auto", "always", "never"]
_MODE = 0o600
_MS_PER_S = 1000


class Importance(IntEnum):
    """How much a line matters, in the order in which options leave lines out or let them in."""

    DETAIL = 1
    REMARK = 2
    WARNING = 3
    ERROR = 4


@dataclass(frozen=True, slots=True)
class DiagnosticSettings:
    """What the command line asks for."""

    quiet: bool = False
    verbose: bool = False
    no_progress: bool = False
    color: ColorWish = "auto"
    log_file: Path | None = None

    @property
    def least(self) -> Importance:
        """What matters least of all that is shown."""
        if self.quiet:
            return Importance.ERROR
        return Importance.DETAIL if self.verbose else Importance.REMARK


class LogFile:
    """A file that lines are appended to, each with its time. One write per text, so several processes may share it.

    Arguments:
        path: made with mode 0600 when it is absent. Raises StorageError when it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        from bundler.appended_file import open_appended  # few commands write a log

        with storage_errors(path):
            self._descriptor = open_appended(path, _MODE)
        # a pipe that is full is waited for
        os.set_blocking(self._descriptor, True)
        self.path = path

    def write(self, text: str) -> None:
        """Append a text, every line of it behind the time; a disk that has become full stops no work."""
        with suppress(OSError):
            os.write(self._descriptor, stamped(text, time.time()).encode(errors="backslashreplace"))

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)


class Diagnostics:
    """The settings that count now, and the open log file. Reset at the start of a program."""

    def __init__(self) -> None:
        self.settings = DiagnosticSettings()
        # which command the lines are about: the first line in a log file that several programs may append to
        self.title = ""
        self._log: LogFile | None = None

    def configure(self, settings: DiagnosticSettings) -> None:
        """Let settings count from now on. Raises StorageError when the log file cannot be opened."""
        self.settings = settings
        wanted, current = settings.log_file, None if self._log is None else self._log.path
        if wanted != current:
            opened = None if wanted is None else LogFile(wanted)
            if self._log is not None:
                self._log.close()
            self._log = opened

    def reset(self) -> None:
        """Begin anew: nothing is asked for, and no log file is open."""
        self.configure(DiagnosticSettings())
        self.title = ""

    def shows(self, importance: Importance) -> bool:
        """Tell whether a line is for the terminal."""
        return importance >= self.settings.least

    @property
    def keeps_log(self) -> bool:
        """Whether there is a log file, which has every line whatever the terminal shows."""
        return self._log is not None

    @property
    def wants_details(self) -> bool:
        """Whether anybody reads lines of the least importance: gathering them may cost something."""
        return self.settings.verbose or self.keeps_log

    def keep(self, text: str) -> None:
        """Write a text into the log file, if there is one; it must not steer a terminal."""
        if self._log is not None:
            title, self.title = self.title, ""
            self._log.write(f"{title}\n{text}" if title else text)

    def colors(self, environment: Mapping[str, str], *, terminal: bool) -> bool:
        """Tell whether stderr gets colours: as the option says, else on a terminal without NO_COLOR (no-color.org)."""
        if self.settings.color != "auto":
            return self.settings.color == "always"
        return terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


DIAGNOSTICS = Diagnostics()


def stamped(text: str, time_s: float) -> str:
    """Return every line of a text behind a time in UTC (RFC 3339, milliseconds), each ending with a line feed."""
    milliseconds = int(time_s * _MS_PER_S)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(milliseconds // _MS_PER_S))
    prefix = f"{moment}.{milliseconds % _MS_PER_S:03d}Z"
    return "".join(f"{prefix} {line}\n" for line in text.split("\n"))
