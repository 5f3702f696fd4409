"""The real `mirror serve` on the master of an air gap, until a block ends."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.air_gap import AirGap

PROGRAM = Path(sys.executable).with_name("mirror")
READY_WITHIN_S = 60


@contextmanager
def mirror_on_master(gap: AirGap, tree: Path, log: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Serve a tree with two workers; gives the supervisor's process once it serves.

    Arguments:
        log: takes what it says on stderr.
    """
    with log.open("wb") as told:
        process = subprocess.Popen(
            [*gap.on_master, PROGRAM, "serve", "--root", tree, "--workers", "2", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
        )
    try:
        assert process.stdout is not None
        watchdog = threading.Timer(READY_WITHIN_S, process.kill)
        watchdog.start()
        for line in process.stdout:
            if "kill -HUP" in line:
                break
        watchdog.cancel()
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.terminate()
        process.wait(READY_WITHIN_S)
        assert process.stdout is not None
        process.stdout.close()
