"""Why a host could not be changed, as a value. The caller makes an error of it: its own class, id and words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Reason(Enum):
    """What kind of failure it is; the caller has an id and a remedy for each."""

    NOT_ROOT = auto()
    FILE_TAKEN = auto()
    COMMAND_FAILED = auto()
    JOURNAL_UNREADABLE = auto()


@dataclass(frozen=True, slots=True)
class StepFailure:
    """What happened.

    Arguments:
        what: one sentence without the place; callers may put it in words of their own.
        where: the file, or the command as it would be typed; "" for the host.
        step: title of the step that was being taken, or the line of what was being undone; "" before any.
    """

    reason: Reason
    what: str
    where: str = ""
    step: str = ""


class StepFailedError(Exception):
    """A step cannot be taken or undone. Raised by steps, which do not know on whose behalf; `apply` translates it."""

    def __init__(self, failure: StepFailure) -> None:
        super().__init__(failure.what)
        self.failure = failure
