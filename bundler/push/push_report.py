"""What a push came to, name by name. Values, and which of their failures is raised."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.errors import BundlerError, PublishError
    from bundler.model.digest import Digest
    from bundler.push.push_plan import PlannedPush

Outcome = Literal["pushed", "present", "skipped", "failed", "missing"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one name.

    Arguments:
        outcome: `present` when it was there already; `skipped` when it stands for another image and was left alone;
            `missing` in a run that sends nothing, for what would be pushed.
        before: what the name stood for when that was another image, else None; what a roll-back would push again.
        error: why it failed, else None.
    """

    push: PlannedPush
    outcome: Outcome
    before: Digest | None = None
    error: BundlerError | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What went over the line: blobs sent and their bytes, and blobs taken over from another repository."""

    blobs: int
    blob_bytes: int
    mounted: int


@dataclass(frozen=True, slots=True)
class Projects:
    """What was found and done about a Harbor's projects.

    Arguments:
        empty: those that had to be created, which hold nothing yet; sorted.
        refused: those that are not there and could not be created.
    """

    empty: tuple[str, ...] = ()
    refused: Mapping[str, PublishError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PushReport:
    """A whole run; `results` in the plan's order."""

    results: tuple[Result, ...]
    sent: Sent
    projects: Projects = field(default_factory=Projects)

    @property
    def counts(self) -> Counter[Outcome]:
        """How many names came to each outcome."""
        return Counter(result.outcome for result in self.results)


def require_complete(report: PushReport) -> None:
    """Raise the first failure in the plan's order."""
    for result in report.results:
        if result.error is not None:
            raise result.error
