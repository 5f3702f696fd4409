"""One name on its way into a registry, for both transports: what it stood for before, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.errors import ErrorId, PublishError
from bundler.push.push_report import PushResult
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bundler.errors import BundlerError
    from bundler.model.digest import Digest
    from bundler.push.push_plan import PlannedPush

OnExistingTag = Literal["skip", "overwrite", "fail"]


@dataclass(slots=True)
class PushState:
    """The state of one push; `result` is None until it is decided, and stays as it is afterwards."""

    push: PlannedPush
    before: Digest | None = None
    result: PushResult | None = None

    def fail(self, error: BundlerError) -> None:
        """Decide that it failed, unless it is decided already."""
        if self.result is None:
            self.result = PushResult(self.push, "failed", self.before, error)

    def keep_or_overwrite(self, current: Digest, on_existing_tag: OnExistingTag, host: str) -> None:
        """Decide what happens to a tag that stands for another image, of digest `current`.

        Arguments:
            host: the registry's name, for messages.

        Raises PublishError (PUSH_TAG_TAKEN) for `fail`.
        """
        self.before = current
        if on_existing_tag == "skip":
            self.result = PushResult(self.push, "skipped", current)
        elif on_existing_tag == "fail":
            raise _tag_taken(self.push, host, current)


def undecided(states: Iterable[PushState]) -> list[PushState]:
    """Return the states without a result."""
    return [state for state in states if state.result is None]


def _tag_taken(push: PlannedPush, host: str, current: Digest) -> PublishError:
    return PublishError(
        ErrorId.PUSH_TAG_TAKEN,
        tr(
            "stands for another image already: it is {current}, the bundle has {digest}",
            current=current,
            digest=push.digest,
        ),
        where=f"{host}/{push.name}",
        remedy=tr("Push with --on-existing-tag overwrite to replace it, skip to keep it, or under another --project."),
    )
