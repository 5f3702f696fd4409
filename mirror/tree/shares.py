"""Directories that are served as they are, outside of any bundle: nobody vouches for their bytes. Follows no link."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.open_beneath import SOMETHING_ELSE, open_directory, open_file
from mirror.tree.identity import Identity, date_of, identity_of
from mirror.tree.media_types import media_type
from mirror.tree.served import Directory, DirectoryEntry, File, FilePlace

if TYPE_CHECKING:
    from mirror.tree.served import Resource

# how many names of one directory are listed; the others can still be asked for
MAX_SHARED_NAMES = 100_000
# absent, hidden behind a link, not for the mirror's user, or a name that no file can have
_NOTHING_THERE = (errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, *SOMETHING_ELSE)


@dataclass(frozen=True, slots=True)
class Share:
    """A directory on disk and the URL's path that it is served under.

    Arguments:
        path: without slashes at its ends; "" for a root that holds no bundle (`--all-files`).
        directory: its open descriptor.
    """

    path: str
    directory: int

    def find(self, inner: str, url: str) -> Resource | None:
        """Return what lies at a path below the shared directory, or None; asks the disk.

        Raises OSError when the disk fails, not when the file is absent or hidden behind a link.
        """
        if inner and not _is_plain(inner):
            return None
        try:
            descriptor = open_file(self.directory, inner) if inner else None
            if descriptor is None:
                return self._directory(inner, url)
        except OSError as error:
            if error.errno in _NOTHING_THERE:
                return None
            raise
        try:
            return self._file(inner, os.fstat(descriptor))
        finally:
            os.close(descriptor)

    def _directory(self, inner: str, url: str) -> Directory:
        # never the inherited descriptor itself: all workers would share one place in its list (fork(2))
        descriptor = open_directory(self.directory, inner or ".")
        below = f"{inner}/" if inner else ""
        directories: list[str] = []
        files: list[DirectoryEntry] = []
        try:
            with os.scandir(descriptor) as found:
                for item in found:
                    if len(directories) + len(files) == MAX_SHARED_NAMES:
                        break
                    if not _is_plain(item.name):
                        continue
                    # a file may be gone between the two calls
                    with suppress(OSError):
                        status = item.stat(follow_symlinks=False)
                        if stat.S_ISDIR(status.st_mode):
                            directories.append(item.name)
                        elif stat.S_ISREG(status.st_mode):
                            files.append(DirectoryEntry(item.name, self._file(below + item.name, status)))
            modified_s = date_of(os.fstat(descriptor))
        finally:
            os.close(descriptor)
        files.sort(key=lambda entry: entry.name)
        return Directory(url, sorted(directories), files, modified_s, "", inner)

    def _file(self, inner: str, status: os.stat_result) -> File:
        identity = identity_of(status)
        return File(
            place=FilePlace(self.directory, inner),
            size=status.st_size,
            etag=_shared_tag(identity),
            modified_s=date_of(status),
            media_type=media_type(inner),
            identity=identity,
            bundle="",
            path=inner,
        )


def _is_plain(path: str) -> bool:
    if any(segment in ("", ".", "..") for segment in path.split("/")):
        return False
    # names that are no UTF-8 have no URL, and a NUL no name
    return "\0" not in path and not any("\ud800" <= character <= "\udfff" for character in path)


def _shared_tag(identity: Identity) -> str:
    # what a person may know of inode numbers on the host is no business of the clients
    numbers = f"{identity.device} {identity.inode} {identity.size} {identity.mtime_ns} {identity.ctime_ns}"
    return f'"{hashlib.sha256(numbers.encode()).hexdigest()[:32]}"'
