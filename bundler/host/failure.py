"""Why a host could not be changed, as a value. The caller makes an error of it: its own class, id and words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Reason(Enum):
    """What kind of failure it is; the caller has an id and a remedy for each."""

    NOT_ROOT = auto()
    FILE_TAKEN = auto()
    COMMAND_FAILED = auto()
    NOT_YET = auto()
    JOURNAL_UNREADABLE = auto()


@dataclass(frozen=True, slots=True)
class ChangeFailure:
    """What happened.

    Arguments:
        what: one sentence without the place; callers may put it in words of their own.
        where: the file, or the command as it would be typed; "" for the host.
        change: title of the change that was being made, or the line of what was being undone; "" before any.
        remedy: what to do about it, where the change knows better than its caller; else "".
        lines: what belongs to it, a line each: a difference, the end of a log.
    """

    reason: Reason
    what: str
    where: str = ""
    change: str = ""
    remedy: str = ""
    lines: tuple[str, ...] = ()


class ChangeFailedError(Exception):
    """A change cannot be made or undone. Changes do not know on whose behalf they are; `apply` translates it."""

    def __init__(self, failure: ChangeFailure) -> None:
        super().__init__(failure.what)
        self.failure = failure
