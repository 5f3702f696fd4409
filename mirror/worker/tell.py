"""A line in the mirror's own log, which is stderr: what an operator should know, never what a client did."""

from __future__ import annotations

import sys
from contextlib import suppress


def tell(text: str) -> None:
    """Say one line; whoever cannot be told stops nothing."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"mirror: {text}\n")
        sys.stderr.flush()
