"""Running a program to its end: what it printed, and how it ended. Owns nothing of what programs are asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.child_process import PrintsTooMuchError, TakesTooLongError, run_program
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

# a program that could not even be started, or was killed, as a shell and timeout(1) say it
NOT_STARTED, KILLED = 127, 124
# packages come over slow lines, and a source release may have to be built
WITHIN_S = 3600
MAX_OUTPUT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RanProgram:
    """A program that has ended; `output` and `complaint` are what it wrote to stdout and stderr."""

    status: int
    output: str
    complaint: str


def run(
    command: Sequence[str], *, environment: Mapping[str, str], directory: Path | None = None, text: str = ""
) -> RanProgram:
    """Run a program and wait for it.

    Arguments:
        environment: all of it.
        directory: where it runs; this process's own when left out.
        text: its standard input.
    """
    try:
        ended = run_program(
            command,
            environment=environment,
            within_s=WITHIN_S,
            max_bytes=MAX_OUTPUT_BYTES,
            stdin=text.encode(),
            directory=directory,
        )
    except OSError as error:
        return RanProgram(NOT_STARTED, "", tr("cannot be run: {reason}", reason=error.strerror))
    except TakesTooLongError:
        return RanProgram(KILLED, "", tr("was still running after {within_s} s", within_s=WITHIN_S))
    except PrintsTooMuchError:
        return RanProgram(
            KILLED, "", tr("printed more than {max_output_bytes} bytes", max_output_bytes=MAX_OUTPUT_BYTES)
        )
    return RanProgram(ended.status, ended.stdout.decode(errors="replace"), ended.stderr.decode(errors="replace"))
