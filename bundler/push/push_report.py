"""The outcome of a push, name by name. Values, and which of their failures is raised."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.errors import BundlerError, PublishError
    from bundler.model.digest import Digest
    from bundler.push.push_plan import PlannedPush

PushOutcome = Literal["pushed", "present", "skipped", "failed", "missing"]


@dataclass(frozen=True, slots=True)
class PushResult:
    """The outcome of one name.

    Arguments:
        outcome: `present` when it existed already; `skipped` when it stands for another image and was left alone;
            `missing` in a dry run, for what would be pushed.
        before: the digest that the name had if that was another image, else None; a roll-back would push it again.
        error: why it failed, else None.
    """

    push: PlannedPush
    outcome: PushOutcome
    before: Digest | None = None
    error: BundlerError | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent: blobs and their bytes, and blobs mounted from another repository."""

    blobs: int
    blob_bytes: int
    mounted: int


@dataclass(frozen=True, slots=True)
class Projects:
    """A Harbor's projects that did not exist.

    Arguments:
        empty: those that were created (in a dry run: would be), which hold nothing yet; sorted.
        refused: those that could not be created, with the error.
    """

    empty: tuple[str, ...] = ()
    refused: Mapping[str, PublishError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PushReport:
    """A whole run; `results` in the plan's order."""

    results: tuple[PushResult, ...]
    sent: Sent
    projects: Projects = field(default_factory=Projects)

    @property
    def counts(self) -> Counter[PushOutcome]:
        """How many names have each outcome."""
        return Counter(result.outcome for result in self.results)


def require_complete(report: PushReport) -> None:
    """Raise the first failure in the plan's order."""
    for result in report.results:
        if result.error is not None:
            raise result.error
