"""The steps that an installation is made of: each tells what it would do, does it, and records how it is undone."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bundler.errors import ErrorId, ServeError
from mirror.service.journal import Record
from mirror.service.saved_rules import with_block, without_block

if TYPE_CHECKING:
    from collections.abc import Collection

    from mirror.service.host import Host

# what systemctl says of a unit that is not loaded, in section "Exit status" of its manual
_NO_SUCH_UNIT = 5
# of firewall-cmd(1), NOT_RUNNING: it neither knows nor changes what is permanent then
_FIREWALL_STOPPED = 252


class Step(Protocol):
    """One change to the host."""

    @property
    def record(self) -> Record | None:
        """How it is undone; None when there is nothing to undo."""

    def describe(self) -> str:
        """Return what it does, exactly, as lines for a person."""

    def is_done(self, host: Host) -> bool:
        """Tell whether there is nothing left to do."""

    def apply(self, host: Host, *, ours: Collection[str]) -> None:
        """Do it.

        Arguments:
            ours: SHA-256, in hex, of what earlier installations wrote in the same place and may be replaced.

        Raises ServeError (SERVICE_FAILED), StorageError.
        """


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file of ours."""

    path: str
    content: bytes
    mode: int = 0o644

    @property
    def record(self) -> Record:
        """The file, with what it holds: somebody's own changes are not removed."""
        return Record(file=self.path, sha256=hashlib.sha256(self.content).hexdigest())

    def describe(self) -> str:
        """Return its whole content."""
        lines = self.content.decode().splitlines()
        return "\n".join([f"write {self.path}", *(f"    {line}".rstrip() for line in lines)])

    def is_done(self, host: Host) -> bool:
        """Tell whether it is there as wanted."""
        return host.read(self.path) == self.content

    def apply(self, host: Host, *, ours: Collection[str]) -> None:
        """Write it, unless somebody else did: that a journal names the place says nothing of what is there now."""
        content = host.read(self.path)
        if content is not None and hashlib.sha256(content).hexdigest() not in ours:
            raise ServeError(
                ErrorId.SERVICE_FAILED,
                "exists already, and is not what `mirror service install` has made",
                where=self.path,
                remedy="Look at it, then move it away.",
            )
        host.write(self.path, self.content, self.mode)


@dataclass(frozen=True, slots=True)
class KeepLines:
    """Lines of ours in a file of the system's: rules that are restored at every start."""

    path: str
    lines: tuple[str, ...]

    @property
    def record(self) -> Record:
        """The file, without a digest: only our lines are taken out of it."""
        return Record(file=self.path)

    def describe(self) -> str:
        """Return the lines."""
        return "\n".join([f"add to {self.path}, in its filter table", *(f"    {line}" for line in self.lines)])

    def is_done(self, host: Host) -> bool:
        """Tell whether they are in it."""
        content = host.read(self.path)
        return content is not None and with_block(content, self.lines) == content

    def apply(self, host: Host, *, ours: Collection[str]) -> None:
        """Put them in, in place of those of an earlier time."""
        del ours
        content = host.read(self.path)
        if content is not None:
            host.write(self.path, with_block(content, self.lines), 0o600)


@dataclass(frozen=True, slots=True)
class Run:
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
    def record(self) -> Record | None:
        """Its undoing."""
        return Record(undo=self.undo, check=self.check or self.there) if self.undo else None

    def describe(self) -> str:
        """Return the command as it would be typed."""
        if not self.command:
            return f"at removal: {shlex.join(self.undo)}"
        return shlex.join(self.command) + (
            f"    # unless this succeeds: {shlex.join(self.check)}" if self.check else ""
        )

    def is_done(self, host: Host) -> bool:
        """Ask the check."""
        return bool(self.check) and host.run(self.check).code == 0

    def apply(self, host: Host, *, ours: Collection[str]) -> None:
        """Run it."""
        del ours
        if self.command:
            must(host, self.command)


def must(host: Host, command: tuple[str, ...], *, tolerated: int = 0) -> None:
    """Run a command; ServeError (SERVICE_FAILED) with what it said when it fails in any but the tolerated way."""
    done = host.run(command)
    if done.code not in (0, tolerated):
        said = (done.complaints or done.output).strip().splitlines()
        raise ServeError(
            ErrorId.SERVICE_FAILED,
            f"exit {done.code}" + (f": {said[-1]}" if said else ""),
            where=shlex.join(command),
            remedy="Mend what it complains of, then run the same command again; --dry-run shows every step.",
        )


def undo(host: Host, record: Record, ours: Collection[str]) -> str:
    """Take away what a record says; what is gone already is no problem. Returns a note for a person, or "".

    Arguments:
        ours: as for `Step.apply`; an interruption leaves the old content or the new one.

    Raises ServeError (SERVICE_FAILED), StorageError.
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
        host.write(record.file, without_block(content), 0o600)
        return ""
    if hashlib.sha256(content).hexdigest() not in ours:
        return f"{record.file} was changed since it was installed and stays"
    host.remove(record.file)
    return ""
