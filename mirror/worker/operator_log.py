"""A line in the mirror's own log, which is stderr: what an operator should know, never what a client did."""

from __future__ import annotations

import sys
from contextlib import suppress

from bundler.diagnostics import DIAGNOSTICS


def log_line(text: str) -> None:
    """Write one line; a stream that cannot be written stops nothing."""
    # AttributeError: there is no stream where the descriptor was closed at the start
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"mirror: {text}\n")
        sys.stderr.flush()
    DIAGNOSTICS.keep(f"mirror: {text}")
