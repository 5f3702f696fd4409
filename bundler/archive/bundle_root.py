"""A directory that holds bundles side by side, `NAME-ID12/` each, and the link `current` to the active one.

docs/design.md, 7. The directory may itself be a bundle, as `tar -C /opt` leaves it; it is called `.` then. Owns the
lock under which bundles come, go and are activated, and what the link may say. Refuses to know what is in a bundle.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.archive.open_beneath import open_directory
from bundler.directory_walk import exists_at, make_directories, open_directory_at, remove_directories
from bundler.durable import storage_errors
from bundler.errors import ErrorId, SiteError
from bundler.model.bundle import INDEX_PATH
from bundler.model.digest import ID_CHARACTERS
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

CURRENT = "current"
ITSELF = "."
_NEXT_LINK = f".{CURRENT}.partial"
_WITH_ID = re.compile(rf".+-(?P<id>[0-9a-f]{{{ID_CHARACTERS}}})")


def directory_name(bundle: str, bundle_id: str) -> str:
    """Return the name of the directory that a bundle gets."""
    return f"{bundle}-{bundle_id[:ID_CHARACTERS]}"


@dataclass(frozen=True, slots=True)
class BundleRoot:
    """An opened root.

    Arguments:
        descriptor: of the directory.
        path: its absolute path, for messages and for what `current` may say.
    """

    descriptor: int
    path: Path

    def directories(self) -> list[str]:
        """Return the names of all bundles, `.` first. Raises OSError."""
        found = [ITSELF] if self.holds(ITSELF) else []
        # opened anew: a descriptor that was handed to other processes has one place in the list for all of them
        listed = open_directory(self.descriptor, ".")
        try:
            with os.scandir(listed) as entries:
                names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        finally:
            os.close(listed)
        # a name that is no UTF-8, or that no URL should hold, is nobody's bundle
        return found + sorted(name for name in names if name.isprintable() and name[0] != "." and self.holds(name))

    def holds(self, directory: str) -> bool:
        """Tell whether a directory is a bundle. Raises OSError when the root cannot be looked at."""
        try:
            above = os.stat(directory, dir_fd=self.descriptor, follow_symlinks=False)
            path = f"{directory}/{INDEX_PATH}"
            status = os.stat(path, dir_fd=self.descriptor, follow_symlinks=False)
        except OSError as error:
            # `current` may say anything, and what cannot be looked at is nobody's bundle
            if directory == ITSELF and not isinstance(error, FileNotFoundError):
                raise
            return False
        return stat.S_ISDIR(above.st_mode) and stat.S_ISREG(status.st_mode)

    def target(self) -> str:
        """Return what the link `current` says; "" where there is none."""
        try:
            return os.readlink(CURRENT, dir_fd=self.descriptor)
        except OSError:
            return ""

    def current(self) -> str | None:
        """Return the name of the active bundle: that of the link, else `.` where the root is one; None for neither.

        A link that leads anywhere but to a directory of this root makes nothing active.
        """
        if target := self.target():
            parent, name = os.path.split(target.rstrip("/"))
            return name if name not in ("", "..") and self._is_root(parent) and self.holds(name) else None
        return ITSELF if self.holds(ITSELF) else None

    @property
    def current_is_taken(self) -> bool:
        """Whether something that is no link lies where `current` should be."""
        return exists_at(self.descriptor, CURRENT) and not self.target()

    def target_is_closed(self) -> bool:
        """Tell whether `current` leads to what this user may not look into."""
        try:
            os.stat(f"{self.target()}/{INDEX_PATH}", dir_fd=self.descriptor)
        except OSError as error:
            return isinstance(error, PermissionError)
        return False

    def require_link(self) -> None:
        """Refuse to replace what is no link by `current`. Raises SiteError (BUNDLE_CURRENT_TAKEN)."""
        if self.current_is_taken:
            raise SiteError(
                ErrorId.BUNDLE_CURRENT_TAKEN,
                tr("is no link, so that it cannot be replaced by one"),
                where=str(self.path / CURRENT),
                remedy=tr("Move it away, and run the command again."),
                step="activate",
            )

    def activate(self, directory: str) -> None:
        """Let `current` lead to a bundle, in one step; for `.` remove it. Raises OSError, SiteError."""
        self.require_link()
        with suppress(FileNotFoundError):
            os.unlink(_NEXT_LINK, dir_fd=self.descriptor)
        if directory == ITSELF:
            with suppress(FileNotFoundError):
                os.unlink(CURRENT, dir_fd=self.descriptor)
        else:
            os.symlink(directory, _NEXT_LINK, dir_fd=self.descriptor)
            os.rename(_NEXT_LINK, CURRENT, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        os.fsync(self.descriptor)

    def _is_root(self, parent: str) -> bool:
        if parent in ("", ".", str(self.path)):
            return True
        # the root may have several names; one that this user may not look up is none of them
        try:
            return os.path.samestat(os.stat(parent, dir_fd=self.descriptor), os.fstat(self.descriptor))
        except OSError:
            return False


@contextmanager
def opened_root(path: Path, *, make: bool = False, change: bool = True) -> Iterator[BundleRoot]:
    """Open a root, locked against everybody else who changes it.

    Arguments:
        make: make the directory when it is absent; it goes again when the block fails and nothing is in it.
        change: False to look only, without waiting for others.

    Raises StorageError, also for an OSError within the block.
    """
    with storage_errors(path):
        made = make_directories(path) if make else []
        try:
            descriptor = open_directory_at(path)
            try:
                if change:
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield BundleRoot(descriptor, Path(os.path.abspath(path)))  # noqa: PTH100 - Path.absolute keeps `..`
            finally:
                os.close(descriptor)
        except BaseException:
            remove_directories(made)
            raise


def chosen(root: BundleRoot, name: str) -> str:
    """Return the name of a bundle as somebody types it: whole, without `/` at its end, or the beginning of its id.

    Raises SiteError (BUNDLE_UNKNOWN) when none or several fit.
    """
    wanted = name.rstrip("/") or name
    names = root.directories()
    if wanted in names:
        return wanted
    # a script's empty variable is nobody's name
    found = {known: match["id"] for known in names if (match := _WITH_ID.fullmatch(known))}
    fitting = [known for known, its_id in found.items() if wanted and its_id.startswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    raise SiteError(
        ErrorId.BUNDLE_UNKNOWN,
        tr(
            "holds {found} of the name {name!r}", found=tr("several bundles") if fitting else tr("no bundle"), name=name
        ),
        where=str(root.path),
        remedy=tr("Choose one of: {fitting}.", fitting=", ".join(fitting or names) or tr("none is there; unpack one")),
        step="choose",
    )
