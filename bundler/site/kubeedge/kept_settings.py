"""What a person has set in a file that keadm is about to write from its defaults: kept before, put back after.

The keys lie in a file of their own until they are put back, so that a cut between the two loses nothing. What keadm
wrote is kept too (without the token): the next time only what differs from it is somebody's own.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.host.changes import Unrecorded
from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.manifest.yaml_edit import edited
from bundler.model.json_value import dump_pretty, load_strict
from bundler.site.edits.kubeedge_yaml import TOKEN, own_settings, value_lines, with_own_settings
from bundler.site.installer import STATE
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bundler.host.interface import Host
    from bundler.manifest.yaml_edit import KeyPath
    from bundler.model.json_value import Json
    from bundler.site.config.model import Role

_MODE = 0o600


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A file of settings that keadm writes.

    Arguments:
        decided: key paths that keadm's arguments or the site decide.
    """

    path: str
    role: Role
    decided: tuple[KeyPath, ...]

    @property
    def kept(self) -> str:
        """Where somebody's own keys lie until they are put back."""
        return f"{STATE}/{self.role}/{posixpath.basename(self.path)}.own.json"

    @property
    def written(self) -> str:
        """Where what keadm wrote is kept."""
        return f"{STATE}/{self.role}/{posixpath.basename(self.path)}.as-written"

    def own(self, host: Host) -> list[tuple[KeyPath, Json]]:
        """Return what a person has set in it; nothing when there is no such file. Raises ChangeFailedError."""
        there = host.read(self.path)
        try:
            return [] if there is None else own_settings(there, host.read(self.written), self.decided)
        except ValueError as error:
            remedy = tr("Mend it, or move it away if nothing in it is worth keeping.")
            raise ChangeFailedError(
                ChangeFailure(Reason.FILE_TAKEN, str(error), where=self.path, remedy=remedy)
            ) from error

    def note_written(self, host: Host) -> None:
        """Keep what keadm has just written, without the token."""
        there = host.read(self.path)
        if there is not None:
            secret = {TOKEN: ""} if self.role == "edge" else {}
            host.write(self.written, edited(there, secret), _MODE)


@dataclass(frozen=True, slots=True)
class KeepSettings(Unrecorded):
    """Keep what a person has set.

    Arguments:
        written: tells whether keadm has written the file already.
    """

    file: SettingsFile
    written: Callable[[Host], bool]

    @property
    def title(self) -> str:
        """The file."""
        return tr("keep what somebody has set in {path}", path=self.file.path)

    def describe(self, host: Host) -> str:
        """Return the keys."""
        try:
            own = self.file.own(host)
        except ChangeFailedError as error:
            return f"{self.title}\n    {error.failure.what}"
        return "\n".join([self.title, *(f"    {line}" for line in value_lines(dict(own)))])

    def is_done(self, host: Host) -> bool:
        """Tell whether there is nothing to keep, or it is kept."""
        return self.written(host) or not host.exists(self.file.path) or host.exists(self.file.kept)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Write it down."""
        del ours, force
        own: Any = self.file.own(host)
        host.write(self.file.kept, dump_pretty(own), _MODE)
        return ()


@dataclass(frozen=True, slots=True)
class MergeSettings(Unrecorded):
    """Put back what a person had set."""

    file: SettingsFile

    @property
    def title(self) -> str:
        """The file."""
        return tr("put back what somebody had set in {path}", path=self.file.path)

    def is_done(self, host: Host) -> bool:
        """Tell whether nothing is kept."""
        return not host.exists(self.file.kept)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[str, ...]:
        """Set the keys; they are forgotten by the change after this one, once the journal knows of the file."""
        del ours, force
        kept, there = host.read(self.file.kept), host.read(self.file.path)
        if kept is None or there is None:
            return ()
        try:
            own = [(tuple(path), value) for path, value in load_strict(kept)]
            merged = with_own_settings(there, own)
        except (ValueError, TypeError) as error:
            what = tr("what somebody had set cannot be put back: {error}", error=error)
            remedy = tr("Put it back by hand; it lies in {kept}, which you then remove.", kept=self.file.kept)
            failure = ChangeFailure(Reason.FILE_TAKEN, what, where=self.file.path, remedy=remedy)
            raise ChangeFailedError(failure) from error
        if merged != there:
            host.write(self.file.path, merged)
        return (self.file.path,)


@dataclass(frozen=True, slots=True)
class ForgetSettings(Unrecorded):
    """Forget what has been put back."""

    file: SettingsFile

    @property
    def title(self) -> str:
        """The file that goes."""
        return tr("remove {kept}", kept=self.file.kept)

    def is_done(self, host: Host) -> bool:
        """Tell whether it is gone."""
        return not host.exists(self.file.kept)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Remove it."""
        del ours, force
        host.remove(self.file.kept)
        return ()
