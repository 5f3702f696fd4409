"""A stat cache: the identity and the CRC-32 of a blob's file at the time when its SHA-256 was verified.

As long as it is the very same file (device, inode, size, and both times to the nanosecond), a CRC-32 is enough to find
damage by the disk, and costs a tenth of a SHA-256. A file that was written to, replaced or copied has another identity
and is verified whole again. See docs/adr/0007. Losing a record costs time, never correctness.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.store.record_file import record_path, remove_record, write_record

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from bundler.model.digest import Blob


@dataclass(frozen=True, slots=True)
class VerifiedFiles:
    """The records of one store, a small file per blob below `directory`. Implements `archive`'s `ChecksumCache`."""

    directory: Path

    def crc32(self, blob: Blob, status: os.stat_result) -> int | None:
        """Return the CRC-32 that a blob's file had when it was verified, or None when this is another file."""
        try:
            text = record_path(self.directory, blob.digest.hex).read_text(encoding="ascii")
            identity, _, crc32 = text.rpartition(" ")
            return int(crc32, 16) if identity == _identity(status) else None
        except (OSError, ValueError):
            return None

    def record(self, blob: Blob, status: os.stat_result, crc32: int) -> None:
        """Record that a file with this status and CRC-32 was found to be the blob; does nothing on a full disk."""
        write_record(self.directory, blob.digest.hex, f"{_identity(status)} {crc32:08x}")

    def remove(self, blob: Blob) -> None:
        """Drop the record of a blob."""
        remove_record(self.directory, blob.digest.hex)


def _identity(status: os.stat_result) -> str:
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
