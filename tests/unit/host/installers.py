"""An installer of the tests' own, whose failures are SiteErrors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SiteError
from bundler.host.apply import Installer, apply_changes
from bundler.host.marked_lines import marks_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.host.changes import Change
    from bundler.host.failure import ChangeFailure
    from bundler.model.json_value import Json
    from tests.fakes.host import MemoryHost

JOURNAL = "/var/lib/test/journal.json"
MARKS = marks_of("test")
HEAD: Mapping[str, Json] = {"site": "edge-1"}


def _error(failure: ChangeFailure) -> SiteError:
    return SiteError(
        ErrorId.SERVICE_FAILED, failure.what, where=failure.where, remedy=f"{failure.reason.name}.", step=failure.change
    )


INSTALLER = Installer(JOURNAL, "a test's journal", MARKS, _error)


def applied(host: MemoryHost, changes: Sequence[Change], head: Mapping[str, Json] = HEAD) -> list[str]:
    """Apply the changes and return what was said."""
    host.learn(changes)
    said: list[str] = []
    apply_changes(host, changes, INSTALLER, head, said.append)
    return said
