"""What RPM has installed: the headers in its databases in SQLite and in its own format, ndb.

Follows rpm's lib/backend/sqlite.c and lib/backend/ndb/rpmpkg.c. Refuses Berkeley DB, which Python cannot read; headers
are read by `bundler.rpm.signing.rpm_file`.
"""

from __future__ import annotations

import struct
from itertools import count
from typing import TYPE_CHECKING

from bundler.errors import ToolMissingError
from bundler.materials.os_package import OsPackage, UnreadableDatabaseError
from bundler.rpm.signing.rpm_file import read_stored_header
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# keys that were imported are kept as packages
_KEYS = "gpg-pubkey"
# of SQLite's virtual machine: a thousand at a time; reading a database of 64 MiB takes some 100 of these
_MAX_STEPS = 20_000
_STEP = 1_000
# file format of SQLite, 1.3: which version reads and writes; 2 is a write-ahead log, which bytes in memory cannot have
_VERSIONS = slice(18, 20)
_ROLLBACK_JOURNAL = b"\x01\x01"
_SQLITE_MAGIC = b"SQLite format 3\0"
_NDB_PAGE_BYTES, _NDB_BLOCK_BYTES, _NDB_HEADER_BYTES = 4096, 16, 32
_NDB_HEADER = struct.Struct("<4sIII")
_NDB_SLOT = struct.Struct("<4sIII")
_NDB_BLOB = struct.Struct("<4sIII")


def sqlite_packages(data: bytearray) -> Iterator[OsPackage]:
    """Yield the packages of an rpmdb.sqlite. Raises UnreadableDatabaseError, ToolMissingError (no SQLite in Python)."""
    return _packages(data, _sqlite_headers)


def ndb_packages(data: bytearray) -> Iterator[OsPackage]:
    """Yield the packages of a Packages.db. Raises UnreadableDatabaseError."""
    return _packages(data, _ndb_headers)


def berkeley_packages(data: bytearray) -> Iterator[OsPackage]:
    """Refuse a Packages file. Raises UnreadableDatabaseError."""
    del data
    raise UnreadableDatabaseError("is an RPM database in Berkeley DB, which is not read")


def _packages(data: bytearray, headers: Callable[[bytearray], Iterator[bytes]]) -> Iterator[OsPackage]:
    for raw in headers(data):
        try:
            header = read_stored_header(raw)
        except ValueError as error:
            raise UnreadableDatabaseError("holds a header that cannot be read") from error
        nevra = header.nevra
        if nevra.name != _KEYS:
            yield OsPackage(
                "rpm",
                nevra.name,
                f"{nevra.version}-{nevra.release}",
                nevra.arch,
                nevra.epoch,
                source=header.source_rpm,
                license_text=header.license_text,
            )


def _sqlite_headers(data: bytearray) -> Iterator[bytes]:
    try:
        import sqlite3
    except ImportError as error:
        package, needed_for = tr("a complete Python"), tr("images with an RPM database in SQLite")
        raise ToolMissingError(tr("Python's module sqlite3"), package=package, needed_for=needed_for) from error
    if not data.startswith(_SQLITE_MAGIC):
        raise UnreadableDatabaseError("is no SQLite database")
    data[_VERSIONS] = _ROLLBACK_JOURNAL
    steps = count()
    connection = sqlite3.connect(":memory:")
    try:
        connection.deserialize(data)
        # the schema is the image's: none of its functions or views may take long or reach outside
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        connection.set_progress_handler(lambda: next(steps) > _MAX_STEPS, _STEP)
        for (blob,) in connection.execute("SELECT blob FROM Packages ORDER BY hnum"):
            if not isinstance(blob, bytes):
                raise UnreadableDatabaseError("holds something else than headers")
            yield blob
    except sqlite3.Error as error:
        raise UnreadableDatabaseError("cannot be read as SQLite") from error
    finally:
        connection.close()


def _ndb_headers(data: bytearray) -> Iterator[bytes]:
    try:
        magic, _, _, pages = _NDB_HEADER.unpack_from(data)
        if magic != b"RpmP":
            raise UnreadableDatabaseError("is no ndb database")
        end = min(pages * _NDB_PAGE_BYTES, len(data))
        slots = memoryview(data)[_NDB_HEADER_BYTES : end - (end - _NDB_HEADER_BYTES) % _NDB_SLOT.size]
        found = sorted(
            (index, at) for magic, index, at, _ in _NDB_SLOT.iter_unpack(slots) if magic == b"Slot" and index
        )
        for index, at in found:
            begin = at * _NDB_BLOCK_BYTES
            magic, owner, _, size = _NDB_BLOB.unpack_from(data, begin)
            begin += _NDB_BLOB.size
            if magic != b"BlbS" or owner != index or begin + size > len(data):
                raise UnreadableDatabaseError(f"has no package where it says that number {index} is")
            yield bytes(data[begin : begin + size])
    except struct.error as error:
        raise UnreadableDatabaseError("is cut short") from error
