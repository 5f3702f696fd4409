"""Keeps what a C library prints from the terminal: it quotes packages as they are, with whatever would steer it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDERR = 2


@contextmanager
def unprinted() -> Iterator[None]:
    """Send nowhere what is written to the descriptor of stderr during the block.

    For blocks that report by exceptions alone, and while no other thread has anything to say.
    """
    kept = os.dup(_STDERR)
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
