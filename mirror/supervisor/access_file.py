"""Open the access log for the workers, who may not be allowed to.

Its directory may belong to the user that the workers run as, so root appends to no file that somebody else chose: it
follows only links that root made, and no file that has a second name.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.directory_walk import MAX_LINKS, opened_directory
from bundler.durable import storage_errors
from bundler.translation import tr

if TYPE_CHECKING:
    from typing import Literal

# O_NONBLOCK: a fifo that nobody reads is an error, not something to wait for
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
_MODE = 0o640
_STDOUT = 1
_ROOT = 0
_PROC = "/proc"


def open_access_log(target: Path | Literal["-"] | None) -> int | None:
    """Return a descriptor to append lines to, None when no log is wanted. Raises StorageError."""
    if target is None:
        return None
    if target == "-":
        return os.dup(_STDOUT)
    with storage_errors(target):
        return os.open(target, _FLAGS, _MODE) if os.geteuid() != _ROOT else _opened(target, MAX_LINKS)


def _opened(target: Path, links_left: int) -> int:
    with opened_directory(target.parent) as directory:
        try:
            descriptor = os.open(target.name, _FLAGS | os.O_NOFOLLOW, _MODE, dir_fd=directory)
        except OSError as error:
            if error.errno != errno.ELOOP or not links_left:
                raise
            link = os.stat(target.name, dir_fd=directory, follow_symlinks=False)
            if link.st_uid != _ROOT:
                raise OSError(
                    errno.ELOOP, tr("is a link that another user made, which root does not follow")
                ) from error
            if os.fstat(directory).st_dev == Path(_PROC).stat().st_dev:
                # /dev/stdout leads to such a link, whose text is no path
                return os.open(target.name, _FLAGS, _MODE, dir_fd=directory)
            leads_to = os.readlink(target.name, dir_fd=directory)
        else:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink == 1:
                return descriptor
            os.close(descriptor)
            raise OSError(errno.EMLINK, tr("has a second name, and may be another user's file"))
    return _opened(target.parent / leads_to, links_left - 1)
