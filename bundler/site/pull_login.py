"""The login that edges pull with from a Harbor that is not public: a robot account that can do nothing else.

`bundler robot create` makes it and writes it to `PULL_LOGIN` on the cloud host, from where an invitation brings it to
each edge.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bundler.host.changes import SameRecord, failed_command
from bundler.host.failure import ChangeFailedError
from bundler.host.journal import Record
from bundler.model.json_value import load_foreign
from bundler.site.password_file import is_owners_alone
from bundler.site.registry_files import PULL_LOGIN
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from bundler.host.interface import Host

_REMOVE, _IS_THERE = ("rm", "-f", PULL_LOGIN), ("test", "-e", PULL_LOGIN)


@dataclass(frozen=True, slots=True)
class MakePullLogin(SameRecord):
    """The robot account and its file.

    Arguments:
        command: of `bundler robot create`, without the projects.
        projects: returns those that the bundle's images are in. Raises ChangeFailedError.
        secret: for the command's stdin.
    """

    command: tuple[str, ...]
    projects: Callable[[Host], Sequence[str]]
    secret: bytes | None = field(repr=False)

    @property
    def title(self) -> str:
        """What it is for."""
        return tr("make the login that edges pull with, {pull_login}", pull_login=PULL_LOGIN)

    def describe(self, host: Host) -> str:
        """Return the command as it would be typed, for the projects that there will be."""
        del host
        return tr(
            "{title}\n    {command} PROJECT …    # the password comes on stdin",
            title=self.title,
            command=shlex.join((*self.command, "--project")),
        )

    def is_done(self, host: Host) -> bool:
        """Tell whether there is a file with logins that only its owner can read."""
        status, content = host.status(PULL_LOGIN), host.read(PULL_LOGIN) if host.is_root() else None
        if content is None or not is_owners_alone(status):
            return False
        try:
            value: Any = load_foreign(content)
        except ValueError:
            return False
        return isinstance(value, dict) and bool(value.get("auths"))

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Make it for every project that the bundle's images are in."""
        del ours, force
        command = (*self.command, *(word for project in self.projects(host) for word in ("--project", project)))
        done = host.run(command, stdin=self.secret or b"")
        if done.code != 0:
            raise ChangeFailedError(failed_command(command, done))
        return ()

    def record_anywhere(self) -> Record:
        """Return what stays, and how it goes."""
        return Record(undo=_REMOVE, check=_IS_THERE, stays="the robot account stays in Harbor (delete it there)")
