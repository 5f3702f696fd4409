"""The outcome of a push, name by name. Values, and which of their failures is raised."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from bundler.errors import PublishError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.errors import BundlerError
    from bundler.model.digest import Digest
    from bundler.push.push_plan import PlannedPush

# `1007.5 KiB`, `0 B`: what a refusal for a quota says of each blob
_AMOUNT = re.compile(r"\b\d+(?:\.\d+)? ?[KMGT]?i?B\b")
PushOutcome = Literal["pushed", "present", "skipped", "failed", "missing"]


@dataclass(frozen=True, slots=True)
class PushResult:
    """The outcome of one name.

    Arguments:
        outcome: `present` when it existed already; `skipped` when it stands for another image and was left alone;
            `missing` in a dry run, for what would be pushed.
        before: the digest that the name had if that was another image, else None; a roll-back would push it again.
        error: why it failed, else None.
        packed: the digest of an engine's own packing of the same image that the name stands for, else None.
    """

    push: PlannedPush
    outcome: PushOutcome
    before: Digest | None = None
    error: BundlerError | None = None
    packed: Digest | None = None


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
        unlimited: those that were created and did not get the wanted limit.
    """

    empty: tuple[str, ...] = ()
    refused: Mapping[str, PublishError] = field(default_factory=dict)
    unlimited: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class FailureCause:
    """What several names have failed for; `error` is that of the first of them in the plan's order."""

    error: BundlerError
    count: int


def failure_causes(report: PushReport) -> tuple[FailureCause, ...]:
    """Return every cause once: failures whose texts differ in nothing but the names and amounts of each image."""
    found: dict[tuple[object, ...], list[BundlerError]] = {}
    for result in report.results:
        if result.error is not None:
            found.setdefault(_cause_key(result, result.error), []).append(result.error)
    return tuple(FailureCause(errors[0], len(errors)) for errors in found.values())


def require_complete(report: PushReport) -> None:
    """Raise the first failure in the plan's order, with how many others have failed for the same cause."""
    for cause in failure_causes(report)[:1]:
        error = cause.error
        if cause.count > 1 and isinstance(error, PublishError):
            error = replace(
                error, what=tr("{what} - and the same of {count} more", what=error.what, count=cause.count - 1)
            )
        raise error


def _cause_key(result: PushResult, error: BundlerError) -> tuple[object, ...]:
    if not isinstance(error, PublishError) or not error.quote:
        return error.id, error.remedy, error.what
    target = result.push.target
    words = error.quote.replace(target.repository, "…").replace(f"'{target.project}'", "…")
    return error.id, error.remedy, error.status, _AMOUNT.sub("…", words)
