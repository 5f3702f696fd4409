"""A unit that ran before anything was changed here runs again once all of that is undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.host.changes import SameRecord
from bundler.host.journal import Record
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection

    from bundler.host.interface import Host


@dataclass(frozen=True, slots=True)
class StartAtRemoval(SameRecord):
    """It stands before everything that concerns the unit, so that it is undone after all of that.

    Arguments:
        changed: earlier times have changed what the unit runs with: that it runs now says nothing of before.
        answers: a command that succeeds when the unit may be started; () when it always may.
    """

    unit: str
    changed: bool
    answers: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """When, and the command."""
        return tr("at removal: systemctl start {unit}", unit=self.unit)

    def record_anywhere(self) -> Record:
        """Return the command."""
        return Record(undo=("systemctl", "start", self.unit), answers=self.answers)

    def describe(self, host: Host) -> str:
        """Return the title, and why."""
        del host
        return tr("{title}    # it runs now", title=self.title)

    def is_done(self, host: Host) -> bool:
        """Tell whether it is noted already, or nothing ran."""
        return self.changed or host.run(("systemctl", "--quiet", "is-active", self.unit)).code != 0

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Do nothing: it is all in the record."""
        del host, ours, force
        return ()
