"""Files that somebody else's program writes, or is not to find: what was there before comes back when it is undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.host.journal import Record
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bundler.host.interface import Host


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A file that the changes after this one let somebody else's program write.

    Nothing happens to it here; it is recorded, so that undoing takes away what the program wrote. The change that runs
    the program returns the file from its `apply`.

    Arguments:
        written: tells whether the program has run already.
    """

    path: str
    written: Callable[[Host], bool]

    @property
    def title(self) -> str:
        """Its path."""
        return tr("remember {path} for undo", path=self.path)

    @property
    def key(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def record(self, host: Host) -> Record:
        """The file, with what it holds now."""
        return Record(file=self.path, sha256=host.digest(self.path))

    def describe(self, host: Host) -> str:
        """Return the title, and what becomes of what is there."""
        return self.title + (tr(": it will be written anew") if host.exists(self.path) else tr(": it will be made"))

    def is_done(self, host: Host) -> bool:
        """Ask whether the program has run."""
        return self.written(host)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Do nothing: it is all in the record."""
        del host, ours, force
        return ()


@dataclass(frozen=True, slots=True)
class SetAside:
    """A file that is not to be found any more; a copy of it is kept.

    Arguments:
        stays: tells whether it may stay after all.
    """

    path: str
    stays: Callable[[Host], bool]

    @property
    def title(self) -> str:
        """Its path."""
        return tr("set aside {path}", path=self.path)

    @property
    def key(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def record(self, host: Host) -> Record:
        """The file, which holds nothing of ours."""
        del host
        return Record(file=self.path)

    def describe(self, host: Host) -> str:
        """Return the title."""
        del host
        return tr("{title}; a copy of it is kept", title=self.title)

    def is_done(self, host: Host) -> bool:
        """Tell whether it is gone, or may stay."""
        return not host.exists(self.path) or self.stays(host)

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Remove it; the record has kept a copy."""
        del ours, force
        host.remove(self.path)
        return ()
