"""Package files -> createrepo_c's records, every file held to what it was pinned to.

One thread: createrepo_c reads and hashes a file while it holds the interpreter's lock, and handing over hashing to
threads of our own was measured to be slower than letting it (scripts/bench rpms).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, SourceError
from bundler.model.damaged_blob import DamagedBlobError
from bundler.model.digest import Blob, Digest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# what the createrepo_c command keeps, and clients show
CHANGELOG_ENTRIES = 10


class DamagedPackageError(DamagedBlobError):
    """A package's file is not what it was pinned to."""


def read_package(library: Any, path: Path, blob: Blob) -> Any:
    """Return createrepo_c's Package of a file.

    Arguments:
        library: the module `createrepo_c`.

    Raises DamagedPackageError, SourceError (SOURCE_INVALID) for what is no package.
    """
    try:
        record = library.package_from_rpm(str(path), checksum_type=library.SHA256, changelog_limit=CHANGELOG_ENTRIES)
    except (OSError, library.CreaterepoCError) as error:
        # of bytes that are not the pinned ones nothing else can be said
        _check(path, blob)
        raise _unreadable(str(error).removeprefix(f"Cannot load {path}: "), path) from error
    if (record.pkgId, record.size_package) != (blob.digest.hex, blob.size):
        raise _damaged(path, blob, f"sha256:{record.pkgId}, {record.size_package} bytes")
    return record


def package_texts(library: Any, record: Any, path: Path) -> Sequence[str]:
    """Return what a package adds to primary, filelists and other.

    Arguments:
        library: the module `createrepo_c`. record: its Package. path: the file, for messages.

    Raises SourceError (SOURCE_INVALID) for what XML cannot say, such as control characters in a summary.
    """
    try:
        texts: Sequence[str] = library.xml_dump(record)
    # text that is not UTF-8 comes out of the library as a SystemError
    except (library.CreaterepoCError, SystemError, ValueError) as error:
        raise _unreadable(f"{record.name}: {error}", path) from error
    return texts


def _unreadable(why: str, path: Path) -> SourceError:
    return SourceError(
        ErrorId.SOURCE_INVALID,
        f"is not a readable RPM package: {why}",
        where=str(path),
        remedy="Ask whoever publishes the repository, or exclude the package.",
    )


def _check(path: Path, blob: Blob) -> None:
    try:
        with path.open("rb") as file:
            found = Blob(Digest("sha256", hashlib.file_digest(file, "sha256").hexdigest()), file.tell())
    except OSError as error:
        raise _damaged(path, blob, error.strerror or "no file") from error
    if found != blob:
        raise _damaged(path, blob, f"{found.digest}, {found.size} bytes")


def _damaged(path: Path, blob: Blob, got: str) -> DamagedPackageError:
    return DamagedPackageError.of(blob, "the package was damaged on the disk", where=path, got=got)
