"""A record of what pytest runs, line by line while it does, for whoever wants to know how far a run came.

Each line is a JSON array: `collected`, `began` or `ended`, and the tests' ids as a command line takes them.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


class RunRecord:
    """A plugin of the process that people see, not of its workers.

    Arguments:
        path: a file, to which several runs may add.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without workers."""
        self._add("collected", (item.nodeid for item in session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """All workers collect the same."""
        self._add("collected", ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Before a test is set up."""
        self._add("began", [nodeid])

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """After it was torn down."""
        self._add("ended", [nodeid])

    def _add(self, what: str, ids: Iterable[str]) -> None:
        line = json.dumps([what, [_without_group(test) for test in ids]])
        # in one piece: workers of another run may add to the same file
        os.write(self._file, f"{line}\n".encode())


def _without_group(test: str) -> str:
    """Return a test's id without the group that pytest-xdist has put behind it."""
    name, mark, _ = test.rpartition("@")
    return name if mark and len(name) > test.rfind("]") else test
