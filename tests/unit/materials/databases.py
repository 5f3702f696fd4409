"""Package databases and layers for the tests of bundler.materials, made on the spot."""

from __future__ import annotations

import gzip
import io
import sqlite3
import struct
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fakes.small_rpms import SmallRpm

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LEAD_BYTES = 96
MAGIC_BYTES = 8
DPKG_STATUS = b"""\
Package: zlib1g
Status: install ok installed
Maintainer: Somebody
Architecture: amd64
Multi-Arch: same
Source: zlib (1:1.2.13)
Version: 1:1.2.13.dfsg-1
Description: compression library
 Version: of a line that goes on
 .

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: base-files
Status: hold ok installed
Architecture: amd64
Version: 12.4+deb12u5
"""
APK_INSTALLED = b"""\
C:Q1abc=
P:musl
V:1.2.4-r2
A:x86_64
T:the musl c library
L:MIT
o:musl
F:lib
R:ld-musl-x86_64.so.1

P:libcrypto3
V:3.1.4-r1
A:x86_64
L:Apache-2.0
o:openssl
"""
DEBIAN = b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'
RPMS = (SmallRpm("bash", "5.1.8", "6.el9", arch="x86_64"), SmallRpm("openssl", "3.0.7", "24.el9", epoch=1))


def stored_header(rpm: bytes) -> bytes:
    """Return a package's header as RPM's databases keep it."""
    at = LEAD_BYTES
    for padded in (True, False):
        count, size = struct.unpack_from(">II", rpm, at + MAGIC_BYTES)
        end = at + MAGIC_BYTES + 8 + 16 * count + size
        if padded:
            at = end + -end % 8
    return rpm[at + MAGIC_BYTES : end]


def sqlite_database(headers: Iterable[bytes], *statements: str) -> bytes:
    """Return an rpmdb.sqlite; the statements come last."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "rpmdb.sqlite")
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(header,) for header in headers])
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        return path.read_bytes()


def ndb_database(headers: Sequence[bytes]) -> bytes:
    """Return a Packages.db."""
    slots, blobs = b"", b""
    for index, header in enumerate(headers, 1):
        slots += struct.pack("<4sIII", b"Slot", index, 256 + len(blobs) // 16, 0)
        blob = struct.pack("<4sIII", b"BlbS", index, 0, len(header)) + header
        blob += bytes(-(len(blob) + 12) % 16) + struct.pack("<II4s", 0, len(header), b"BlbE")
        blobs += blob
    head = struct.pack("<4sIIII12x", b"RpmP", 0, 1, 1, len(headers) + 1)
    return (head + slots).ljust(4096, b"\0") + blobs


def layer(files: Mapping[str, bytes | None], *, links: Mapping[str, str] | None = None, compress: bool = True) -> bytes:
    """Return a layer; a file of None is a directory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
            info.size = len(data or b"")
            tar.addfile(info, io.BytesIO(data or b""))
        for path, target in (links or {}).items():
            info = tarfile.TarInfo(path)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return gzip.compress(buffer.getvalue(), mtime=0) if compress else buffer.getvalue()
