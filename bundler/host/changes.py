"""The changes that a host gets: each tells what it would do, does it, and records how it is undone.

Owns the protocol and the changes that are commands or a wait; those that are files stand in `file_changes`.
"""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.interface import COMMAND_WITHIN_S
from bundler.host.journal import Record
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from bundler.host.interface import CommandResult, Host


class Change(Protocol):
    """One change to the host."""

    @property
    def title(self) -> str:
        """What it does, as one line for a person."""

    @property
    def key(self) -> tuple[str, ...] | None:
        """The `Record.key` of its record; None when there is nothing to undo."""

    def record(self, host: Host) -> Record | None:
        """Return how it is undone once it is made on this host as it is now; None when there is nothing to undo."""

    def describe(self, host: Host) -> str:
        """Return what it does to this host, exactly, as lines for a person; they begin with the title."""

    def is_done(self, host: Host) -> bool:
        """Tell whether there is nothing left to do."""

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[str, ...]:
        """Do it, and return the files that somebody else's program has written anew: they count as ours from now on.

        Arguments:
            ours: SHA-256, in hex, of what earlier times wrote in the same place and may be replaced.
            force: replace what others wrote as well.

        Raises ChangeFailedError, StorageError.
        """


class Unrecorded(ABC):
    """What the changes have in common that nothing undoes."""

    __slots__ = ()

    @property
    @abstractmethod
    def title(self) -> str:
        """What it does, as one line for a person."""

    @property
    def key(self) -> None:
        """There is nothing to undo."""
        return

    def record(self, host: Host) -> None:
        """There is nothing to undo."""
        del host

    def describe(self, host: Host) -> str:
        """Return the title: there is no more to tell."""
        del host
        return self.title


class SameRecord(ABC):
    """What the changes have in common whose undoing is the same on every host."""

    __slots__ = ()

    @property
    def key(self) -> tuple[str, ...] | None:
        """Its undoing."""
        record = self.record_anywhere()
        return record.key if record else None

    def record(self, host: Host) -> Record | None:
        """Its undoing."""
        del host
        return self.record_anywhere()

    @abstractmethod
    def record_anywhere(self) -> Record | None:
        """Return the record, which needs no host; None when there is nothing to undo."""


@dataclass(frozen=True, slots=True)
class RunCommand(SameRecord):
    """A command.

    Arguments:
        command: () for nothing now.
        undo: takes away what it makes; () when it makes nothing that stays.
        check: succeeds when it is there already; () when the command has to run each time.
        there: succeeds as long as there is something to undo; () where that is what `check` tells.
        stays: what no undoing takes away, and how it goes, for a person.
        rewrites: files that it writes anew.
        environment: beside what this process has; its values are not shown.
        within_s: how long it may run, in seconds.
        remedy: what to do when it fails; "" for the caller's own words.
        shows_progress: it may show a bar on this process's terminal.
    """

    command: tuple[str, ...]
    undo: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    stays: str = ""
    rewrites: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    within_s: float = COMMAND_WITHIN_S
    remedy: str = ""
    shows_progress: bool = False

    @property
    def title(self) -> str:
        """The command as it would be typed."""
        return shlex.join(self.command) if self.command else tr("remember for undo: {undo}", undo=shlex.join(self.undo))

    def describe(self, host: Host) -> str:
        """Return the command as it would be typed, and when it is not run."""
        del host
        unless = (
            tr("    # unless this succeeds: {check}", check=shlex.join(self.check))
            if self.command and self.check
            else ""
        )
        return f"{self.title}{unless}"

    def is_done(self, host: Host) -> bool:
        """Ask the check."""
        return bool(self.check) and host.run(self.check).code == 0

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[str, ...]:
        """Run it."""
        del ours, force
        if not self.command:
            return ()
        done = host.run(
            self.command,
            environment=self.environment,
            within_s=self.within_s,
            shows_progress=self.shows_progress,
        )
        if done.code != 0:
            raise ChangeFailedError(failed_command(self.command, done, remedy=self.remedy))
        return self.rewrites

    def record_anywhere(self) -> Record | None:
        """Return its undoing, and what stays."""
        if not self.undo and not self.stays:
            return None
        return Record(undo=self.undo, check=self.there or self.check, stays=self.stays)


@dataclass(frozen=True, slots=True)
class Await:
    """Nothing but patience: the change is that something comes true.

    Arguments:
        title: what is waited for, as one line for a person.
        lacking: returns "" once it is true, else what is still lacking, as words for a person.
        within_s: how long to wait for it, in seconds.
        remedy: what to do when it does not come true.
        evidence: returns lines that may say why not: the end of a log.
        every_s: pause between two looks.
        hopeless: returns the failure that no waiting mends, or None.
    """

    title: str
    lacking: Callable[[Host], str]
    within_s: float
    remedy: str = ""
    evidence: Callable[[Host], tuple[str, ...]] = lambda _: ()
    every_s: float = 0.5
    hopeless: Callable[[Host], ChangeFailure | None] = lambda _: None
    key: None = None

    def record(self, host: Host) -> None:
        """There is nothing to undo."""
        del host

    def describe(self, host: Host) -> str:
        """Return the title, and for how long."""
        del host
        return tr("{title}, for at most {within_s:.0f} s", title=self.title, within_s=self.within_s)

    def is_done(self, host: Host) -> bool:
        """Look once."""
        return not self.lacking(host)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Look until it is true."""
        del ours, force
        deadline = host.elapsed() + self.within_s
        while lacking := self.lacking(host):
            if failure := self.hopeless(host):
                raise ChangeFailedError(failure)
            if host.elapsed() >= deadline:
                what = tr("after {within_s:.0f} s: {lacking}", within_s=self.within_s, lacking=lacking)
                raise ChangeFailedError(
                    ChangeFailure(Reason.NOT_YET, what, remedy=self.remedy, lines=self.evidence(host))
                )
            host.pause(self.every_s)
        return ()


@dataclass(frozen=True, slots=True)
class Unless:
    """A change that is not needed where something else holds, by whomever it was brought about."""

    change: Change
    holds: Callable[[Host], bool]

    @property
    def title(self) -> str:
        """The change's."""
        return self.change.title

    @property
    def key(self) -> tuple[str, ...] | None:
        """The change's."""
        return self.change.key

    def record(self, host: Host) -> Record | None:
        """The change's."""
        return self.change.record(host)

    def describe(self, host: Host) -> str:
        """The change's."""
        return self.change.describe(host)

    def is_done(self, host: Host) -> bool:
        """Tell whether it holds, or the change is made."""
        return self.holds(host) or self.change.is_done(host)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[str, ...]:
        """Make the change."""
        return self.change.apply(host, ours=ours, force=force)


def must(host: Host, command: tuple[str, ...], *, tolerated: int = 0) -> None:
    """Run a command; ChangeFailedError with the last line of its output when it fails in any but the tolerated way."""
    done = host.run(command)
    if done.code not in (0, tolerated):
        raise ChangeFailedError(failed_command(command, done))


def failed_command(command: tuple[str, ...], done: CommandResult, *, remedy: str = "") -> ChangeFailure:
    """Return what to say of a command that failed: its status and the last line that it printed."""
    lines = (done.stderr or done.stdout).strip().splitlines()
    what = tr("exit {code}", code=done.code) + (f": {lines[-1]}" if lines else "")
    return ChangeFailure(Reason.COMMAND_FAILED, what, where=shlex.join(command), remedy=remedy)
