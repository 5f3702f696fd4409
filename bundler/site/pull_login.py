"""The login that edges pull with from a Harbor that is not public: a robot account that can do nothing else.

`bundler robot create` makes it and writes it to `PULL_LOGIN` on the cloud host, from where an invitation brings it to
each edge.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bundler.host.changes import failed_command
from bundler.host.failure import ChangeFailedError
from bundler.host.journal import Record
from bundler.model.json_value import load_foreign
from bundler.site.registry_files import PULL_LOGIN

if TYPE_CHECKING:
    from collections.abc import Collection

    from bundler.host.interface import Host

_OTHERS = 0o077
_REMOVE, _IS_THERE = ("rm", "-f", PULL_LOGIN), ("test", "-e", PULL_LOGIN)


@dataclass(frozen=True, slots=True)
class MakePullLogin:
    """The robot account and its file.

    Arguments:
        command: of `bundler robot create`, without the projects.
        listing: what says, as JSON, into which projects images were pushed.
        secret: for both commands' stdin.
    """

    command: tuple[str, ...]
    listing: tuple[str, ...]
    secret: bytes | None = field(repr=False)

    @property
    def title(self) -> str:
        """What it is for."""
        return f"make the login that edges pull with, {PULL_LOGIN}"

    @property
    def key(self) -> tuple[str, ...]:
        """How its file goes."""
        return self._record().key

    def record(self, host: Host) -> Record:
        """Its file goes, the account stays."""
        del host
        return self._record()

    def describe(self, host: Host) -> str:
        """Return the command as it would be typed, for the projects that there will be."""
        del host
        return (
            f"{self.title}\n    {shlex.join((*self.command, '--project'))} PROJECT …    # the password comes on stdin"
        )

    def is_done(self, host: Host) -> bool:
        """Tell whether there is a file with logins that only its owner can read."""
        status, content = host.status(PULL_LOGIN), host.read(PULL_LOGIN) if host.is_root() else None
        if status is None or content is None:
            return False
        try:
            value: Any = load_foreign(content)
        except ValueError:
            return False
        return isinstance(value, dict) and bool(value.get("auths")) and not status.mode & _OTHERS

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Make it for every project that the bundle's images are in."""
        del ours, force
        listed = host.run(self.listing, stdin=self.secret or b"")
        try:
            answer: Any = load_foreign(listed.stdout)
            projects = sorted({str(image["project"]) for image in answer["images"] if image["project"]})
        except (ValueError, KeyError, TypeError) as error:
            raise ChangeFailedError(failed_command(self.listing, listed)) from error
        command = (*self.command, *(word for project in projects for word in ("--project", project)))
        done = host.run(command, stdin=self.secret or b"")
        if done.code != 0:
            raise ChangeFailedError(failed_command(command, done))
        return ()

    def _record(self) -> Record:
        return Record(undo=_REMOVE, check=_IS_THERE, stays="the robot account stays in Harbor (delete it there)")
