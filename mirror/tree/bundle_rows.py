"""How the bundles of a site are written down in a packed file: what the writer and the reader agree on. Pure."""

from __future__ import annotations

import marshal
from typing import NamedTuple

# stands in no path, and sorts before every character of one: what lies in one directory stands together
KEY_SEPARATOR = "\0"


class BundleRow(NamedTuple):
    """What is said of a bundle as a whole; see `ServedBundle`."""

    id: str
    directory: str
    name: str
    release: str
    platforms: tuple[str, ...]
    file_count: int
    content_bytes: int
    modified_s: int
    verified: bool | None
    left_out: int


class FileRow(NamedTuple):
    """What is said of one file.

    Arguments:
        digest: SHA-256, 32 bytes.
        identity: the numbers of an `Identity`; None for a file that is not served.
    """

    size: int
    digest: bytes
    modified_s: int
    media_type: str
    identity: tuple[int, ...] | None

    def packed(self) -> bytes:
        """Return it as a row."""
        return marshal.dumps(tuple(self))

    @classmethod
    def unpacked(cls, row: bytes) -> FileRow:
        """Read what `packed` wrote."""
        return cls(*marshal.loads(row))  # noqa: S302 - written by this program, see `packed`


def section(bundle: int, name: str) -> str:
    """Return the name of a bundle's section."""
    return f"{bundle}/{name}"


def row_key(path: str) -> bytes:
    """Return what a path is found by: its directory with a slash, and its name; "" is the top."""
    parent, slash, name = path.rpartition("/")
    return f"{parent}{slash}{KEY_SEPARATOR}{name}".encode("utf-8", "surrogatepass")


def keys_in(path: str) -> tuple[bytes, bytes]:
    """Return what all keys of a directory's members begin with, and what they are less than; "" is the top."""
    begin = f"{path}/".encode() if path else b""
    return begin + b"\0", begin + b"\1"


def path_of(key: bytes) -> str:
    """Return the path of a key."""
    return key.decode().replace(KEY_SEPARATOR, "")


def name_of(key: bytes) -> str:
    """Return the last segment of a key's path."""
    return key.rpartition(b"\0")[2].decode()
