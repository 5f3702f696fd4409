"""A file that lines are appended to, opened so that root appends to none that somebody else chose.

Its directory may belong to another user, such as the one that a mirror's workers run as. So root follows only links
that root made, and takes no file that has a second name.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from bundler.directory_walk import MAX_LINKS, opened_directory
from bundler.translation import tr

# O_NONBLOCK: a fifo that nobody reads is an error, not something to wait for
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
_ROOT = 0
_PROC = "/proc"


def open_appended(path: Path, mode: int) -> int:
    """Return a descriptor to append to; a file that is absent is made. Raises OSError.

    Arguments:
        mode: of a file that is made, less what the umask takes.
    """
    return os.open(path, _FLAGS, mode) if os.geteuid() != _ROOT else _opened(path, mode, MAX_LINKS)


def _opened(path: Path, mode: int, links_left: int) -> int:
    with opened_directory(path.parent) as directory:
        try:
            descriptor = os.open(path.name, _FLAGS | os.O_NOFOLLOW, mode, dir_fd=directory)
        except OSError as error:
            if error.errno != errno.ELOOP or not links_left:
                raise
            link = os.stat(path.name, dir_fd=directory, follow_symlinks=False)
            if link.st_uid != _ROOT:
                raise OSError(
                    errno.ELOOP, tr("is a link that another user made, which root does not follow")
                ) from error
            if os.fstat(directory).st_dev == Path(_PROC).stat().st_dev:
                # /dev/stdout leads to such a link, whose text is no path
                return os.open(path.name, _FLAGS, mode, dir_fd=directory)
            leads_to = os.readlink(path.name, dir_fd=directory)
        else:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink == 1:
                return descriptor
            os.close(descriptor)
            raise OSError(errno.EMLINK, tr("has a second name, and may be another user's file"))
    return _opened(path.parent / leads_to, mode, links_left - 1)
