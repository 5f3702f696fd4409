"""An image that the engine of a host is to have: pulled, looked at, and on the disk before it counts as there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.host.changes import RunCommand
from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Collection

    from bundler.host.interface import Host
    from bundler.host.journal import Record

_BROKEN = tr(
    "An engine that lost power while it pulled may know an image without its layers. Stop it (`systemctl stop docker`),"
    " move its data (/var/lib/docker) away where nothing else is in it, start it, then run the same command again."
)


@dataclass(frozen=True, slots=True)
class PulledImage:
    """An image by the name under which it is pulled.

    Arguments:
        remedy: what to do when it cannot be pulled.
    """

    image: str
    remedy: str = ""

    @property
    def title(self) -> str:
        """The command."""
        return self._pull.title

    @property
    def key(self) -> tuple[str, ...] | None:
        """The command's."""
        return self._pull.key

    def record(self, host: Host) -> Record | None:
        """The command's."""
        return self._pull.record(host)

    def describe(self, host: Host) -> str:
        """The command's."""
        return self._pull.describe(host)

    def is_done(self, host: Host) -> bool:
        """Ask the engine."""
        return self._pull.is_done(host)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Pull it; that this ends well does not say that it can be used."""
        self._pull.apply(host, ours=ours, force=force)
        if not self._pull.is_done(host):
            what = tr("was pulled, and the engine cannot use it")
            raise ChangeFailedError(ChangeFailure(Reason.COMMAND_FAILED, what, where=self.image, remedy=_BROKEN))
        # an engine writes its layers without waiting for the disk
        host.run(("sync",))
        return ()

    @property
    def _pull(self) -> RunCommand:
        there = ("docker", "image", "inspect", "--format={{.Id}}", self.image)
        undo = ("docker", "image", "rm", self.image)
        return RunCommand(("docker", "pull", self.image), undo=undo, check=there, remedy=self.remedy)
