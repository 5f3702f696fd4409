"""Run a part of a test in a forked process, also as a user who may read nothing that is not open to all."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY = 65534


def as_nobody(part: Callable[[], str]) -> str:
    """Return what `part` returns, called as nobody: it may use directories that are open already."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    return in_a_child(part, before=lambda: os.setresuid(NOBODY, NOBODY, NOBODY))


def in_a_child(part: Callable[[], str], *, before: Callable[[], object] = lambda: None) -> str:
    """Return what `part` returns when a forked process calls it."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        try:
            before()
            said = part()
        except BaseException:  # noqa: BLE001 - a child must never come back as a second test run
            said = traceback.format_exc()
        os.write(write_end, said.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        said = stream.read().decode()
    os.waitpid(child, 0)
    return said
