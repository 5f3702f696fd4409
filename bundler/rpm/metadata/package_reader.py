"""Package files -> createrepo_c's records, every file verified against its pinned digest and size.

In one thread: createrepo_c reads and hashes a file while it holds the interpreter's lock, and hashing in threads of our
own was measured to be slower (scripts/bench rpms).
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, SourceError
from bundler.model.damaged_blob import DamagedBlobError
from bundler.model.digest import Blob, Digest
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# as many as the createrepo_c command keeps
CHANGELOG_ENTRIES = 10
# what createrepo_c does not write (XML 1.0, 2.2)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class DamagedPackageError(DamagedBlobError):
    """A package's file differs from its pinned digest or size."""


def read_package(library: Any, path: Path, blob: Blob) -> Any:
    """Return createrepo_c's Package of a file.

    Arguments:
        library: the module `createrepo_c`.

    Raises DamagedPackageError, SourceError (SOURCE_INVALID) when it is not a package.
    """
    try:
        record = library.package_from_rpm(str(path), checksum_type=library.SHA256, changelog_limit=CHANGELOG_ENTRIES)
    except (OSError, library.CreaterepoCError) as error:
        # if the bytes are not the pinned ones, that is the error
        _check(path, blob)
        raise _unreadable(str(error).removeprefix(f"Cannot load {path}: "), path) from error
    if (record.pkgId, record.size_package) != (blob.digest.hex, blob.size):
        raise _damaged(path, blob, f"sha256:{record.pkgId}, {record.size_package} bytes")
    return record


def package_texts(library: Any, record: Any, path: Path) -> Sequence[str]:
    """Return a package's parts of primary, filelists and other.

    What XML cannot express is left out of the texts that people wrote by hand and no program goes by: summary,
    description and changelog.

    Arguments:
        library: the module `createrepo_c`.
        record: its Package.
        path: the file, for messages.

    Raises SourceError (SOURCE_INVALID) for other text that XML cannot express, such as control characters in a name.
    """
    _leave_out_controls(record)
    try:
        texts: Sequence[str] = library.xml_dump(record)
    # the library raises SystemError for text that is not UTF-8
    except (library.CreaterepoCError, SystemError, ValueError) as error:
        raise _unreadable(f"{record.name}: {error}", path) from error
    return texts


def _leave_out_controls(record: Any) -> None:
    for name in ("summary", "description"):
        if _CONTROL.search(text := getattr(record, name) or ""):
            setattr(record, name, _CONTROL.sub("", text))
    entries = record.changelogs
    if any(_CONTROL.search(f"{author}{text}") for author, _, text in entries):
        record.changelogs = [(_CONTROL.sub("", author), date, _CONTROL.sub("", text)) for author, date, text in entries]


def _unreadable(why: str, path: Path) -> SourceError:
    return SourceError(
        ErrorId.SOURCE_INVALID,
        tr("is not a readable RPM package: {why}", why=why),
        where=str(path),
        remedy=tr("Ask whoever publishes the repository, or exclude the package."),
    )


def _check(path: Path, blob: Blob) -> None:
    try:
        with path.open("rb") as file:
            found = Blob(Digest("sha256", hashlib.file_digest(file, "sha256").hexdigest()), file.tell())
    except OSError as error:
        raise _damaged(path, blob, error.strerror or tr("no file")) from error
    if found != blob:
        raise _damaged(path, blob, f"{found.digest}, {found.size} bytes")


def _damaged(path: Path, blob: Blob, got: str) -> DamagedPackageError:
    return DamagedPackageError.of(blob, tr("the package was damaged on the disk"), where=path, got=got)
