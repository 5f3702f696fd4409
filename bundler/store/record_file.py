"""A small file that is written in one step below a directory of records, sharded by two characters. Losing one is fine.

While it is written it lies in the directory of records itself, locked, so that a later run can tell what a killed one
has left there without a look at every record.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from bundler.directory_walk import make_directories, open_file_at, rename_at, unlink_at

if TYPE_CHECKING:
    from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
# no name of a directory of records is that long
UNFINISHED_BYTES = 16


def record_path(directory: Path, key: str) -> Path:
    """Return where the record of a key (hex digits) lies."""
    return directory / key[:2] / key


def write_record(directory: Path, key: str, text: str) -> None:
    """Write the record of a key, replacing an earlier one; does nothing where that is impossible."""
    # threads and processes may write the same one at the same time
    unfinished = directory / secrets.token_hex(UNFINISHED_BYTES)
    path = record_path(directory, key)
    with suppress(OSError):
        if not path.parent.is_dir():
            make_directories(path.parent, mode=None)
        descriptor = open_file_at(unfinished, _NEW)
        try:
            # whoever removes leftovers in between has removed this one: then the renaming fails
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            os.write(descriptor, text.encode("ascii"))
            rename_at(unfinished, path)
        except OSError:
            unlink_at(unfinished)
        finally:
            os.close(descriptor)


def remove_record(directory: Path, key: str) -> None:
    """Drop the record of a key."""
    with suppress(OSError):
        unlink_at(record_path(directory, key))
