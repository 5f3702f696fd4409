"""cloudcore and edgecore as processes and units: which run, how one is ended, when one has to be started again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bundler.host.changes import RunCommand, SameRecord, Unrecorded, must
from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.journal import Record
from bundler.site.installer import STATE
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bundler.host.file_changes import CopyFile
    from bundler.host.interface import Host, Process
    from bundler.site.config.model import Role

_ENDS_WITHIN_S = 30.0
_EVERY_S = 0.2
_RELOAD = ("systemctl", "daemon-reload")
_LOADING = ("--property=LoadState", "--property=NeedDaemonReload")


def alive(host: Host, name: str) -> tuple[Process, ...]:
    """Return the processes of a name that have not ended; those that ended and nobody reaped open no port."""
    return tuple(process for process in host.processes() if process.name == name and process.state != "Z")


def unit_process(host: Host, unit: str) -> int:
    """Return the number of a unit's main process; 0 where it has none."""
    shown = host.run(("systemctl", "show", "--property=MainPID", unit)).stdout
    number = shown.strip().removeprefix("MainPID=")
    return int(number) if number.isdecimal() else 0


def started_with(role: Role, unit: str) -> str:
    """Return the file that keeps what a unit's files held when it was started here."""
    return f"{STATE}/{role}/{unit}.started-with"


def enabled(unit: str) -> RunCommand:
    """Return the change that has a unit started with its host."""
    check = ("systemctl", "--quiet", "is-enabled", unit)
    return RunCommand(("systemctl", "enable", unit), undo=("systemctl", "disable", unit), check=check)


@dataclass(frozen=True, slots=True)
class ReloadAtRemoval(SameRecord):
    """systemd reads its units anew when a unit's file is gone or has become the former one again.

    It stands before everything that concerns the unit, so that it is undone after all of that.

    Arguments:
        file: the change that puts the unit's file in place.
    """

    file: CopyFile
    title: ClassVar[str] = tr("at removal: {reload}", reload=" ".join(_RELOAD))

    def record_anywhere(self) -> Record:
        """Return the command."""
        return Record(undo=_RELOAD)

    def describe(self, host: Host) -> str:
        """Return the title."""
        del host
        return self.title

    def is_done(self, host: Host) -> bool:
        """Tell whether the file is in place."""
        return self.file.is_done(host)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Do nothing: it is all in the record."""
        del host, ours, force
        return ()


@dataclass(frozen=True, slots=True)
class ReloadUnits(Unrecorded):
    """systemd reads its units anew, where a file of one of them has changed.

    Arguments:
        unit: the one that counts.
    """

    unit: str

    @property
    def title(self) -> str:
        """The command."""
        return " ".join(_RELOAD)

    def is_done(self, host: Host) -> bool:
        """Ask systemd, which knows the unit and whether its file has changed."""
        shown = host.run(("systemctl", "show", *_LOADING, self.unit)).stdout.split()
        return "LoadState=loaded" in shown and "NeedDaemonReload=no" in shown

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Run it."""
        del ours, force
        must(host, _RELOAD)
        return ()


@dataclass(frozen=True, slots=True)
class EndForeign(Unrecorded):
    """Processes of a name that are not a unit's are ended as systemd would end them, and nothing else.

    Arguments:
        name: of the processes. unit: whose main process stays.
        guard: raises ChangeFailedError when it is no good time.
        needed: whether they have to go; by default always.
    """

    name: str
    unit: str
    guard: Callable[[Host], None] = lambda _: None
    needed: Callable[[Host], bool] = lambda _: True

    @property
    def title(self) -> str:
        """What is ended."""
        return tr("end {name} where it runs outside {unit}", name=self.name, unit=self.unit)

    def describe(self, host: Host) -> str:
        """Return the title, and which processes that is now."""
        return "\n".join(
            [self.title, *(tr("    kill -TERM {pid}", pid=process.pid) for process in self._foreign(host))]
        )

    def is_done(self, host: Host) -> bool:
        """Tell whether there is none."""
        return not self._foreign(host) or not self.needed(host)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Ask each to end, and wait until it has."""
        del ours, force
        self.guard(host)
        for process in self._foreign(host):
            must(host, ("kill", "-TERM", str(process.pid)))
        deadline = host.elapsed() + _ENDS_WITHIN_S
        while left := self._foreign(host):
            if host.elapsed() >= deadline:
                numbers = ", ".join(str(process.pid) for process in left)
                what = tr(
                    "still runs {ends_within_s:.0f} s after it was asked to end (process {numbers})",
                    ends_within_s=_ENDS_WITHIN_S,
                    numbers=numbers,
                )
                remedy = tr("Look at what it is doing, end it, then run the same command again.")
                raise ChangeFailedError(ChangeFailure(Reason.NOT_YET, what, where=self.name, remedy=remedy))
            host.pause(_EVERY_S)
        return ()

    def _foreign(self, host: Host) -> tuple[Process, ...]:
        found = alive(host, self.name)
        return () if not found else tuple(one for one in found if one.pid != unit_process(host, self.unit))


@dataclass(frozen=True, slots=True)
class StopUnit(Unrecorded):
    """A unit is stopped where it is in the way of what comes next; that starts it again, or replaces it.

    Arguments:
        may_run: tells whether it is in nobody's way.
        guard: raises ChangeFailedError when it is no good time.
    """

    unit: str
    may_run: Callable[[Host], bool]
    guard: Callable[[Host], None] = lambda _: None

    @property
    def title(self) -> str:
        """The command."""
        return f"systemctl stop {self.unit}"

    def is_done(self, host: Host) -> bool:
        """Tell whether it may run, or does not; one that is about to be restarted does."""
        if self.may_run(host):
            return True
        state = host.run(("systemctl", "show", "--property=ActiveState", self.unit)).stdout.strip()
        return state in ("", "ActiveState=inactive", "ActiveState=failed")

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Stop it."""
        del ours, force
        self.guard(host)
        must(host, ("systemctl", "stop", self.unit))
        return ()


@dataclass(frozen=True, slots=True)
class StartUnit(SameRecord):
    """A unit runs with what its files hold now; when they have changed since it was started here, it is restarted.

    Arguments:
        inputs: the files that it reads at its start.
        note: the file that keeps what they held then; foreseen by a change before this one.
        guard: raises ChangeFailedError when it must not be started now.
    """

    unit: str
    inputs: tuple[str, ...]
    note: str
    guard: Callable[[Host], None] = lambda _: None

    @property
    def title(self) -> str:
        """The command."""
        return f"systemctl restart {self.unit}"

    def record_anywhere(self) -> Record:
        """Return that it is stopped."""
        return Record(undo=("systemctl", "stop", self.unit), check=self._is_active)

    def describe(self, host: Host) -> str:
        """Return the command, and why."""
        active = host.run(self._is_active).code == 0
        why = tr("its files have changed since it was started") if active else tr("it does not run")
        return f"{self.title}    # {why}"

    def is_done(self, host: Host) -> bool:
        """Tell whether it runs, and with these files."""
        return host.read(self.note) == self._stamp(host) and host.run(self._is_active).code == 0

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[str, ...]:
        """Restart it, and note with what."""
        del ours, force
        self.guard(host)
        stamp = self._stamp(host)
        must(host, ("systemctl", "restart", self.unit))
        host.write(self.note, stamp, 0o600)
        return (self.note,)

    @property
    def _is_active(self) -> tuple[str, ...]:
        return ("systemctl", "--quiet", "is-active", self.unit)

    def _stamp(self, host: Host) -> bytes:
        digests = "".join(f"{host.digest(path) or '-'}  {path}\n" for path in self.inputs)
        return f"{hashlib.sha256(digests.encode()).hexdigest()}\n".encode()
