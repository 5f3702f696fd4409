"""Run keadm, which asks endlessly, prints without end, and rewrites its settings even when it fails.

Its stdin is empty, its output read up to a bound, it is ended with all that it has started at its first question, and
what it would ask about (the archive's checksum) is looked at before. A failed call leaves the settings as they were.
"""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.journal import Record
from bundler.site.archive_checksum import checksum_problem
from bundler.site.keadm_words import QUESTION, failure_of, only_the_link_failed
from bundler.site.kubeedge_places import KEADM, KUBEEDGE, archive_name, checksum_name, tree_name
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bundler.host.interface import CommandResult, Host
    from bundler.site.kubeedge.kept_settings import SettingsFile

# the calls take 0.3 to 2 s; one that goes to a network which drops packets waits for several connections
KEADM_WITHIN_S = 600.0
_PRIVATE = 0o600
_NOT_SHOWN = tr("(not shown)")


@dataclass(frozen=True, slots=True)
class RunKeadm:
    """One call of keadm that sets up cloudcore or edgecore.

    Arguments:
        words: what follows `keadm`, without secrets.
        version, arch: of the archive that it unpacks.
        settings: the file that it writes from its defaults.
        writes: what it writes beside that, or edgecore does.
        has_run: tells whether it has done its work already.
        token: returns the token that it is given; None for a call without.
        guard: raises ChangeFailedError when it must not be called now.
        outdates: notes of what a program was started with, which the call starts with something else.
        stays: what no undoing takes away, for a person.
    """

    words: tuple[str, ...]
    version: str
    arch: str
    settings: SettingsFile
    writes: tuple[str, ...]
    has_run: Callable[[Host], bool]
    token: Callable[[Host], str] | None = None
    guard: Callable[[Host], None] = lambda _: None
    outdates: tuple[str, ...] = ()
    stays: str = ""

    @property
    def title(self) -> str:
        """The call as it would be typed, without the token."""
        return shlex.join(("keadm", *self.words)) + (f" --token={_NOT_SHOWN}" if self.token else "")

    @property
    def key(self) -> tuple[str, ...]:
        """Its undoing."""
        return ("", *self._undo)

    @property
    def _tree(self) -> str:
        return f"{KUBEEDGE}/{tree_name(self.version, self.arch)}"

    @property
    def _undo(self) -> tuple[str, ...]:
        return ("rm", "-r", self._tree)

    def record(self, host: Host) -> Record:
        """What it unpacks; its settings and programs are foreseen by changes before this one."""
        del host
        return Record(undo=self._undo, check=("test", "-d", self._tree), stays=self.stays)

    def describe(self, host: Host) -> str:
        """Return the call."""
        del host
        return self.title

    def is_done(self, host: Host) -> bool:
        """Ask whether it has run."""
        return self.has_run(host)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[str, ...]:
        """Call it."""
        del ours, force
        self.guard(host)
        self._require_checksum(host)
        before, status = host.read(self.settings.path), host.status(self.settings.path)
        secret = self.token(host) if self.token else ""
        for note in self.outdates:
            host.remove(note)
        if secret:
            # keadm keeps the mode of a file that it writes into, and would let everybody read the token
            host.write(self.settings.path, before or b"", _PRIVATE)
        done = self._run(host, secret)
        failure = failure_of(done, self.title)
        if failure and not only_the_link_failed(done):
            self._put_back(host, before, status.mode if status else None)
            raise ChangeFailedError(failure)
        # or files that it has made could be empty after a cut of the power, and be taken for made
        host.run(("sync",))
        if secret and (content := host.read(self.settings.path)) is not None:
            host.write(self.settings.path, content, _PRIVATE)
        self.settings.note_written(host)
        made = (self.settings.path, self.settings.written, *self.writes)
        return tuple(path for path in made if host.exists(path))

    def _run(self, host: Host, secret: str) -> CommandResult:
        command = (KEADM, *self.words, *((f"--token={secret}",) if secret else ()))
        done = host.run(command, within_s=KEADM_WITHIN_S, stop_at=QUESTION.encode())
        if not secret:
            return done
        # a command of its own that fails is printed with its arguments
        return done._replace(
            stdout=done.stdout.replace(secret, _NOT_SHOWN), stderr=done.stderr.replace(secret, _NOT_SHOWN)
        )

    def _put_back(self, host: Host, before: bytes | None, mode: int | None) -> None:
        if before is None:
            host.remove(self.settings.path)
        else:
            host.write(self.settings.path, before, mode)

    def _require_checksum(self, host: Host) -> None:
        archive = posixpath.join(KUBEEDGE, archive_name(self.version, self.arch))
        checksum = posixpath.join(KUBEEDGE, checksum_name(self.version, self.arch))
        again = tr("`bundler site apply {role} --from kubeedge-files`", role=self.settings.role)
        remedy = tr("Run {again}: keadm would ask about it for ever.", again=again)
        if not host.exists(archive):
            raise ChangeFailedError(
                ChangeFailure(Reason.COMMAND_FAILED, tr("is missing"), where=archive, remedy=remedy)
            )
        summed = host.run(("sha512sum", archive))
        if problem := checksum_problem(host.read(checksum), summed.stdout.partition(" ")[0]):
            raise ChangeFailedError(ChangeFailure(Reason.COMMAND_FAILED, problem, where=checksum, remedy=remedy))
