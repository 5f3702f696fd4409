"""An installer of the tests' own, whose failures are SiteErrors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SiteError
from bundler.host.apply import Installer, apply_steps
from bundler.host.marked_lines import marks_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.host.failure import StepFailure
    from bundler.host.steps import Step
    from bundler.model.json_value import Json
    from tests.fakes.host import MemoryHost

JOURNAL = "/var/lib/test/journal.json"
MARKS = marks_of("test")
HEAD: Mapping[str, Json] = {"site": "edge-1"}


def _error(failure: StepFailure) -> SiteError:
    return SiteError(
        ErrorId.SERVICE_FAILED, failure.what, where=failure.where, remedy=f"{failure.reason.name}.", step=failure.step
    )


INSTALLER = Installer(JOURNAL, "a test's journal", MARKS, _error)


def applied(host: MemoryHost, steps: Sequence[Step], head: Mapping[str, Json] = HEAD) -> list[str]:
    """Apply the steps and return what was said."""
    host.learn(steps)
    said: list[str] = []
    apply_steps(host, steps, INSTALLER, head, said.append)
    return said
