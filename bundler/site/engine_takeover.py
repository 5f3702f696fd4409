"""How a running engine takes its new settings over: by a reload where that does, else by a restart.

A mark beside the journal says that the engine lacks what daemon.json holds. It is made before the file is edited and
goes when the engine has it, so that power may fail in between.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from bundler.host.changes import must
from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.journal import Record
from bundler.site.edits.daemon_json_text import read_settings
from bundler.site.engine_state import (
    STARTS_WITHIN_S,
    UNIT,
    engine_answers,
    engine_log,
    keeps_containers,
    runs_the_control_plane,
)
from bundler.site.installer import STATE
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bundler.host.file_changes import EditFile
    from bundler.host.interface import Host

RELOADED_WITHIN_S = 15.0
_RESTART, _RELOAD = b"restart\n", b"reload\n"
_STAYS = f"the settings that the engine runs with; `systemctl restart {UNIT}` gives it those of daemon.json"
_EVERY_S = 0.5


def takeover_mark(role: str) -> str:
    """Return where the mark lies."""
    return f"{STATE}/{role}/engine-lacks-settings"


@dataclass(frozen=True, slots=True)
class SettingsMarked:
    """The mark, made when the file is about to change.

    Arguments:
        edit: of the engine's settings.
        restarts: a reload will not do.
    """

    path: str
    edit: EditFile
    restarts: bool

    @staticmethod
    def wants_restart(content: bytes) -> bool:
        """Tell what a mark says; one that cannot be read says the most."""
        return content != _RELOAD

    @property
    def title(self) -> str:
        """Its path."""
        return tr("note in {path} that the engine lacks its settings", path=self.path)

    @property
    def key(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def record(self, host: Host) -> Record:
        """The mark."""
        del host
        return Record(file=self.path, sha256=hashlib.sha256(self._content).hexdigest())

    def describe(self, host: Host) -> str:
        """Return the title."""
        del host
        return self.title

    def is_done(self, host: Host) -> bool:
        """Tell whether nothing will change, or the mark says so already."""
        return self.edit.is_done(host) or host.read(self.path) == self._content

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Make it."""
        del ours, force
        host.write(self.path, self._content, 0o600)
        return ()

    @property
    def _content(self) -> bytes:
        return _RESTART if self.restarts else _RELOAD


@dataclass(frozen=True, slots=True)
class SettingsTakenOver:
    """The engine's reload, and its restart where that is wanted.

    Arguments:
        mark: says that something is left to do.
        waits: nothing may be done now.
    """

    mark: str
    edit: EditFile
    restarts: bool
    waits: bool
    key: ClassVar[tuple[str, ...]] = (_STAYS,)

    @property
    def title(self) -> str:
        """The command."""
        return f"systemctl {'restart' if self.restarts else 'reload'} {UNIT}"

    def record(self, host: Host) -> Record:
        """What it stays with when the file is put back."""
        del host
        return Record(stays=_STAYS)

    def describe(self, host: Host) -> str:
        """Return the command, and that a reload goes before a restart."""
        del host
        return self.title + (tr("    # after a reload, so that live-restore counts") if self.restarts else "")

    def is_done(self, host: Host) -> bool:
        """Tell whether the engine lacks nothing, or may not be touched."""
        return self.waits or (not host.exists(self.mark) and self.edit.is_done(host))

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Reload it, restart it where needed, and wait for its answer."""
        del ours, force
        runs = host.run(("systemctl", "is-active", "--quiet", UNIT)).code == 0
        if runs:
            must(host, ("systemctl", "reload", UNIT))
        if not runs:
            must(host, ("systemctl", "start", UNIT))
        elif self.restarts:
            self._restart(host)
        _awaited(host, engine_answers, STARTS_WITHIN_S, tr("the engine does not answer with its new settings"))
        host.remove(self.mark)
        return ()

    def _restart(self, host: Host) -> None:
        options = read_settings(host.read(self.edit.path) or b"").options
        if runs_the_control_plane(host) and options.get("live-restore") is True:
            # the signal is taken in its own time
            _awaited(host, keeps_containers, RELOADED_WITHIN_S, tr("the engine has not taken live-restore over"))
        must(host, ("systemctl", "restart", UNIT))


def _awaited(host: Host, is_so: Callable[[Host], bool], within_s: float, lacking: str) -> None:
    deadline = host.elapsed() + within_s
    while not is_so(host):
        if host.elapsed() >= deadline:
            what = tr("after {within_s:.0f} s: {lacking}", within_s=within_s, lacking=lacking)
            raise ChangeFailedError(ChangeFailure(Reason.NOT_YET, what, where=UNIT, lines=engine_log(host)))
        host.pause(_EVERY_S)
