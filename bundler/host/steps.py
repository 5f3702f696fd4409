"""The steps by which a host is changed: each tells what it would do, does it, and records how it is undone."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bundler.host.failure import Reason, StepFailedError, StepFailure
from bundler.host.journal import Record
from bundler.host.marked_lines import AT_END, Marks, Place, with_block, without_block

if TYPE_CHECKING:
    from collections.abc import Collection

    from bundler.host.interface import Host

# what systemctl says of a unit that is not loaded, in section "Exit status" of its manual
_NO_SUCH_UNIT = 5
# of firewall-cmd(1), NOT_RUNNING: it neither knows nor changes what is permanent then
_FIREWALL_STOPPED = 252


class Step(Protocol):
    """One change to the host."""

    @property
    def title(self) -> str:
        """What it does, as one line for a person."""

    @property
    def record(self) -> Record | None:
        """How it is undone; None when there is nothing to undo."""

    def describe(self) -> str:
        """Return what it does, exactly, as lines for a person; they begin with the title."""

    def is_done(self, host: Host) -> bool:
        """Tell whether there is nothing left to do."""

    def apply(self, host: Host, *, ours: Collection[str]) -> None:
        """Do it.

        Arguments:
            ours: SHA-256, in hex, of what earlier installations wrote in the same place and may be replaced.

        Raises StepFailedError, StorageError.
        """


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file of ours."""

    path: str
    content: bytes
    mode: int = 0o644

    @property
    def title(self) -> str:
        """Its path."""
        return f"write {self.path}"

    @property
    def record(self) -> Record:
        """The file, with what it holds: somebody's own changes are not removed."""
        return Record(file=self.path, sha256=hashlib.sha256(self.content).hexdigest())

    def describe(self) -> str:
        """Return its whole content."""
        lines = self.content.decode().splitlines()
        return "\n".join([self.title, *(f"    {line}".rstrip() for line in lines)])

    def is_done(self, host: Host) -> bool:
        """Tell whether it is there as wanted."""
        return host.read(self.path) == self.content

    def apply(self, host: Host, *, ours: Collection[str]) -> None:
        """Write it, unless somebody else did: that a journal names the place says nothing of what is there now."""
        content = host.read(self.path)
        if content is not None and hashlib.sha256(content).hexdigest() not in ours:
            what = "exists already, and is not what was made here"
            raise StepFailedError(StepFailure(Reason.FILE_TAKEN, what, where=self.path))
        host.write(self.path, self.content, self.mode)


@dataclass(frozen=True, slots=True)
class KeepLines:
    """Lines of ours in a file of the system's.

    Arguments:
        marks: what stands around them.
        place: where in the file they go.
        mode: of the file from now on; None for the one that it has.
    """

    path: str
    lines: tuple[str, ...]
    marks: Marks
    place: Place = AT_END
    mode: int | None = None

    @property
    def title(self) -> str:
        """The file, and where in it."""
        return f"add to {self.path}, {self.place.words}"

    @property
    def record(self) -> Record:
        """The file, without a digest: only our lines are taken out of it."""
        return Record(file=self.path)

    def describe(self) -> str:
        """Return the lines."""
        return "\n".join([self.title, *(f"    {line}" for line in self.lines)])

    def is_done(self, host: Host) -> bool:
        """Tell whether they are in it."""
        content = host.read(self.path)
        return content is not None and self._wanted(content) == content

    def apply(self, host: Host, *, ours: Collection[str]) -> None:
        """Put them in, in place of those of an earlier time."""
        del ours
        content = host.read(self.path)
        if content is not None:
            host.write(self.path, self._wanted(content), self.mode)

    def _wanted(self, content: bytes) -> bytes:
        return with_block(content, self.lines, self.marks, self.place)


@dataclass(frozen=True, slots=True)
class RunCommand:
    """A command.

    Arguments:
        command: () for nothing now.
        undo: takes away what it makes; () when it makes nothing that stays.
        check: succeeds when it is there already; () when the command has to run each time.
        there: succeeds as long as there is something to undo; () where that is what `check` tells.
    """

    command: tuple[str, ...]
    undo: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    there: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The command as it would be typed."""
        return shlex.join(self.command) if self.command else f"at removal: {shlex.join(self.undo)}"

    @property
    def record(self) -> Record | None:
        """Its undoing."""
        return Record(undo=self.undo, check=self.check or self.there) if self.undo else None

    def describe(self) -> str:
        """Return the command as it would be typed, and when it is not run."""
        unless = f"    # unless this succeeds: {shlex.join(self.check)}" if self.command and self.check else ""
        return f"{self.title}{unless}"

    def is_done(self, host: Host) -> bool:
        """Ask the check."""
        return bool(self.check) and host.run(self.check).code == 0

    def apply(self, host: Host, *, ours: Collection[str]) -> None:
        """Run it."""
        del ours
        if self.command:
            must(host, self.command)


def must(host: Host, command: tuple[str, ...], *, tolerated: int = 0) -> None:
    """Run a command; StepFailedError with the last line of its output when it fails in any but the tolerated way."""
    done = host.run(command)
    if done.code not in (0, tolerated):
        lines = (done.stderr or done.stdout).strip().splitlines()
        what = f"exit {done.code}" + (f": {lines[-1]}" if lines else "")
        raise StepFailedError(StepFailure(Reason.COMMAND_FAILED, what, where=shlex.join(command)))


def undo(host: Host, record: Record, *, ours: Collection[str], marks: Marks) -> str:
    """Take away what a record says; what is gone already is no problem. Returns a note for a person, or "".

    Arguments:
        ours: as for `Step.apply`; an interruption leaves the old content or the new one.
        marks: what stands around lines of ours in files that are not.

    Raises StepFailedError, StorageError.
    """
    if record.undo:
        checked = host.run(record.check).code if record.check else 0
        if checked == _FIREWALL_STOPPED and record.undo[:2] == ("firewall-cmd", "--permanent"):
            return f"firewalld does not run; when it does again, this is left to do: {shlex.join(record.undo)}"
        if checked == 0:
            must(host, record.undo, tolerated=_NO_SUCH_UNIT if record.undo[0] == "systemctl" else 0)
        return ""
    content = host.read(record.file)
    if content is None:
        return ""
    if not record.sha256:
        host.write(record.file, without_block(content, marks))
        return ""
    if hashlib.sha256(content).hexdigest() not in ours:
        return f"{record.file} was changed since it was installed and stays"
    host.remove(record.file)
    return ""
