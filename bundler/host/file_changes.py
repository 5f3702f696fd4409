"""The changes that are files: one of ours, an edit of somebody else's, lines in one, a copy."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.host.failure import ChangeFailedError, ChangeFailure, Reason
from bundler.host.journal import Record
from bundler.host.marked_lines import AT_END, Marks, Place, with_block
from bundler.host.redaction import redacted
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bundler.host.interface import FileOwner, Host

_INDENT = "    "
_MAX_SHOWN_LINES = 200


class CannotEditError(Exception):
    """An edit cannot be made of what the file holds. Arguments: one sentence without the file's name; what to do."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file of ours.

    Arguments:
        secret: its content is not shown.
    """

    path: str
    content: bytes
    mode: int = 0o644
    secret: bool = False

    @property
    def title(self) -> str:
        """Its path."""
        return tr("write {path}", path=self.path)

    @property
    def key(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def record(self, host: Host) -> Record:
        """The file, with what it holds: somebody's own changes are not removed."""
        del host
        return Record(file=self.path, sha256=hashlib.sha256(self.content).hexdigest())

    def describe(self, host: Host) -> str:
        """Return its whole content, or what of it differs from what is there."""
        if self.secret:
            return tr("{title} (its content is not shown)", title=self.title)
        there = host.read(self.path)
        if there is None:
            return "\n".join([self.title, *indented(self.content.decode().splitlines())])
        return "\n".join([self.title, *indented(difference(there, self.content))])

    def is_done(self, host: Host) -> bool:
        """Tell whether it is there as wanted."""
        return host.read(self.path) == self.content

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Write it, unless somebody else did: that a journal names the place says nothing of what is there now."""
        there = host.read(self.path)
        if there is not None and not force and hashlib.sha256(there).hexdigest() not in ours:
            what = tr("exists already, and is not what was made here")
            lines = () if self.secret else difference(there, self.content)
            raise ChangeFailedError(ChangeFailure(Reason.FILE_TAKEN, what, where=self.path, lines=lines))
        host.write(self.path, self.content, self.mode)
        return ()


@dataclass(frozen=True, slots=True)
class EditFile:
    """Somebody else's file, brought to what it is to be; what an edit does not know stays.

    Arguments:
        edit: takes the content (None for no file) and returns the one that is wanted, or None to leave it alone; what
            it has made, it does not change again. Raises CannotEditError.
        summary: what it changes, as lines for a person, for a file that is not there yet.
        mode: of the file from now on; None for the one that it has.
        secret: its content is not shown.
    """

    path: str
    edit: Callable[[bytes | None], bytes | None]
    summary: tuple[str, ...] = ()
    mode: int | None = None
    owner: FileOwner | None = None
    secret: bool = False

    @property
    def title(self) -> str:
        """Its path."""
        return tr("edit {path}", path=self.path)

    @property
    def key(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def record(self, host: Host) -> Record:
        """The file, with what it will hold."""
        wanted = self._wanted(host.read(self.path))
        return Record(file=self.path, sha256="" if wanted is None else hashlib.sha256(wanted).hexdigest())

    def describe(self, host: Host) -> str:
        """Return what it changes in what is there."""
        there = host.read(self.path)
        if self.secret or there is None:
            return "\n".join([self.title, *indented(self.summary)])
        try:
            wanted = self.edit(there)
        except CannotEditError as error:
            return "\n".join([self.title, *indented((tr("cannot be edited: {what}", what=error.what), *self.summary))])
        return "\n".join([self.title, *indented(difference(there, there if wanted is None else wanted))])

    def is_done(self, host: Host) -> bool:
        """Tell whether the edit changes nothing, the mode neither."""
        there = host.read(self.path)
        try:
            wanted = self.edit(there)
        except CannotEditError:
            return False
        if wanted != there and wanted is not None:
            return False
        status = host.status(host.resolved(self.path)) if self.mode is not None and there is not None else None
        return status is None or status.mode == self.mode

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Replace it, unless it was edited here earlier and somebody has changed it since."""
        there = host.read(self.path)
        wanted = self._wanted(there)
        if wanted is None:
            return ()
        if ours and there is not None and not force and hashlib.sha256(there).hexdigest() not in ours:
            what = tr("was changed by somebody else since it was edited here")
            lines = () if self.secret else difference(there, wanted)
            raise ChangeFailedError(ChangeFailure(Reason.FILE_TAKEN, what, where=self.path, lines=lines))
        host.write(self.path, wanted, self.mode, self.owner)
        return ()

    def _wanted(self, there: bytes | None) -> bytes | None:
        try:
            return self.edit(there)
        except CannotEditError as error:
            failure = ChangeFailure(Reason.FILE_TAKEN, error.what, where=self.path, remedy=error.remedy)
            raise ChangeFailedError(failure) from error


@dataclass(frozen=True, slots=True)
class KeepLines:
    """Lines of ours in a file of the system's; where there is no such file, nothing.

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
        return tr("add to {path}, {words}", path=self.path, words=self.place.words)

    @property
    def key(self) -> tuple[str, ...]:
        """The file."""
        return (self.path,)

    def record(self, host: Host) -> Record:
        """The file; what others changed in it meanwhile stays, only our lines go."""
        there = host.read(self.path)
        sha256 = "" if there is None else hashlib.sha256(self._wanted(there)).hexdigest()
        return Record(file=self.path, sha256=sha256, block=True)

    def describe(self, host: Host) -> str:
        """Return the lines."""
        del host
        return "\n".join([self.title, *indented(self.lines)])

    def is_done(self, host: Host) -> bool:
        """Tell whether they are in it."""
        there = host.read(self.path)
        return there is None or self._wanted(there) == there

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Put them in, in place of those of an earlier time."""
        del ours, force
        there = host.read(self.path)
        if there is not None:
            host.write(self.path, self._wanted(there), self.mode)
        return ()

    def _wanted(self, there: bytes) -> bytes:
        return with_block(there, self.lines, self.marks, self.place)


@dataclass(frozen=True, slots=True)
class CopyFile:
    """A copy of another file of this host.

    Arguments:
        sha256: of the other file's content, in hex.
    """

    source: str
    path: str
    sha256: str
    mode: int = 0o644

    @property
    def title(self) -> str:
        """From where to where."""
        return tr("copy {source} to {path}", source=self.source, path=self.path)

    @property
    def key(self) -> tuple[str, ...]:
        """The copy."""
        return (self.path,)

    def record(self, host: Host) -> Record:
        """The copy, with what it holds."""
        del host
        return Record(file=self.path, sha256=self.sha256)

    def describe(self, host: Host) -> str:
        """Return from where to where, and what of it."""
        there = host.digest(self.path)
        return self.title + (
            f" ({self.mode:04o})" if not there else tr(" ({mode:04o}), in place of another one", mode=self.mode)
        )

    def is_done(self, host: Host) -> bool:
        """Tell whether it is there, with its mode."""
        status = host.status(host.resolved(self.path))
        return status is not None and status.mode == self.mode and host.digest(self.path) == self.sha256

    def apply(self, host: Host, *, ours: Collection[str], force: bool) -> tuple[()]:
        """Copy it and look at what was copied; a file there from before is kept as the original.

        One that was copied here earlier and that somebody has changed since stays.
        """
        if ours and not force and host.exists(self.path) and host.digest(self.path) not in {*ours, self.sha256}:
            what = tr("was changed by somebody else since it was copied here")
            raise ChangeFailedError(ChangeFailure(Reason.FILE_TAKEN, what, where=self.path))
        self._require(host.digest(self.source))
        host.copy(self.source, self.path, self.mode)
        if (found := host.digest(self.path)) != self.sha256:
            host.remove(self.path)
            self._require(found)
        return ()

    def _require(self, found: str) -> None:
        if found != self.sha256:
            what = tr(
                "{source} is not what the bundle lists: {found} instead of {sha256}",
                source=self.source,
                found=found[:12],
                sha256=self.sha256[:12],
            )
            raise ChangeFailedError(ChangeFailure(Reason.COMMAND_FAILED, what, where=self.path))


def indented(lines: Collection[str]) -> list[str]:
    """Return lines as they stand below a title, at most some of them."""
    shown = [f"{_INDENT}{line}".rstrip() for line in list(lines)[:_MAX_SHOWN_LINES]]
    return (
        shown
        if len(lines) <= _MAX_SHOWN_LINES
        else [*shown, tr("{indent}… {count} more lines", indent=_INDENT, count=len(lines) - len(shown))]
    )


def difference(there: bytes, wanted: bytes) -> tuple[str, ...]:
    """Return what an edit changes, as the body of a unified difference, without the secrets that stand near by."""
    import difflib  # takes long to load

    before, after = (text.decode("utf-8", "replace").splitlines() for text in (there, wanted))
    return tuple(
        redacted(line)
        for line in difflib.unified_diff(before, after, n=2, lineterm="")
        if not line.startswith(("---", "+++"))
    )
