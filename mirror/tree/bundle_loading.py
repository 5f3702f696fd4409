"""Read one unpacked bundle below the mirror's root: its index, and which files are as listed. Follows no link."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from bundler.archive.checked_index import check_index
from bundler.archive.open_beneath import open_directory, open_file
from bundler.archive.tree import check_files
from bundler.errors import BundleFormatError, ErrorId
from bundler.model.about import ImageAbout
from bundler.model.bundle import ID_CHARACTERS, INDEX_PATH, SIGNATURE_PATH, SUMS_PATH, IndexedFile, is_signature
from bundler.model.digest import Blob, Digest
from bundler.model.image.bundled import DOCUMENT_TYPES
from bundler.model.progress import Unwatched
from mirror.tree.foreign_files import foreign_files
from mirror.tree.identity import date_of, identity_of
from mirror.tree.media_types import media_type
from mirror.tree.served import File, FilePlace
from mirror.tree.served_bundle import Fault, ServedBundle
from mirror.tree.site import is_reserved

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bundler.model.progress import Task
    from mirror.tree.identity import Identity
    from mirror.tree.served_bundle import FaultWord

# about 100,000 files; what the format allows beyond that would cost every worker gigabytes
MAX_SERVED_INDEX_BYTES = 64 * 1024 * 1024
MAX_SIGNATURE_BYTES = 64 * 1024
_OWN_FILES = (INDEX_PATH, SUMS_PATH)


class _Seen(NamedTuple):
    """A regular file that lies where a listed one should."""

    identity: Identity
    modified_s: int
    readable: bool


def load_bundle(root: int, directory: str, where: str, verify: Task | None) -> ServedBundle:
    """Read a bundle and look at every file that it lists.

    Arguments:
        root: descriptor of the mirror's root.
        directory: the bundle's name in it, "" for the root itself.
        where: the bundle's directory, for messages.
        verify: when given, every digest is compared, and the task advanced by the bytes read.

    Raises BundleFormatError, and OSError when the index or the bundle's directory cannot be read.
    """
    below = f"{directory}/" if directory else ""
    contents = check_index(_read(root, f"{below}{INDEX_PATH}", MAX_SERVED_INDEX_BYTES, where), where)
    _refuse_reserved(contents.listed, where)
    listed = dict(contents.listed)
    if (signature := _signature(root, f"{below}{SIGNATURE_PATH}")) is not None:
        listed[SIGNATURE_PATH] = signature
    seen = dict(_look(root, below, listed))
    changed = _changed_digests(root, directory, listed, seen, verify)
    faults = {path: word for path, file in listed.items() if (word := _fault(path, file, seen.get(path), changed))}
    foreign = {} if verify is None else foreign_files(root, directory, contents)
    faults = {path: word for path, word in foreign.items() if path in seen} | faults
    newest = max((found.modified_s for found in seen.values()), default=0)
    short_id = contents.id[:ID_CHARACTERS]
    files: dict[str, File] = {}
    for path, file in listed.items():
        # one string for key, path and place: a worker holds thousands
        name = str(path)
        files[name] = File(
            place=FilePlace(root, below + name),
            size=file.blob.size,
            etag=f'"{file.blob.digest.hex}"',
            modified_s=seen[path].modified_s if path in seen else newest,
            media_type=_document_type(file) or media_type(name),
            identity=None if path in faults else seen[path].identity,
            bundle=short_id,
            path=name,
            digest=file.blob.digest,
            listed=None if path in _OWN_FILES or is_signature(path) else file,
        )
    return ServedBundle(
        id=contents.id,
        directory=directory,
        index=contents.index,
        files=files,
        children=_children(files, contents.directories),
        modified_s=newest,
        faults=tuple(
            Fault(path, word, seen[path].identity if word == foreign.get(path) else None)
            for path, word in sorted(faults.items())
        ),
        verified=None if verify is None else not faults,
    )


def _document_type(file: IndexedFile) -> str:
    """Return the type of an image's index or manifest, which its name does not tell; "" for all else."""
    about = file.about
    return about.media_type if isinstance(about, ImageAbout) and about.media_type in DOCUMENT_TYPES else ""


def _refuse_reserved(paths: Iterable[str], where: str) -> None:
    # no builder of ours lists them; served, they would hide what the mirror itself has there
    if reserved := sorted({top for path in paths if is_reserved(top := path.partition("/")[0])}):
        raise _invalid(where, f"its bundle.json lists files below {reserved[0]!r}, which is a name of the mirror's own")


def _invalid(where: str, what: str) -> BundleFormatError:
    return BundleFormatError(ErrorId.BUNDLE_INVALID, what, where=where, remedy="Unpack the bundle again.")


def _fault(path: str, file: IndexedFile, seen: _Seen | None, changed: set[str]) -> FaultWord | None:
    if seen is None:
        return "missing"
    if seen.identity.size != file.blob.size or path in changed:
        return "changed"
    return None if seen.readable else "unreadable"


def _read(root: int, path: str, max_bytes: int, where: str) -> bytes:
    descriptor = open_file(root, path)
    if descriptor is None:
        raise _invalid(where, f"{path} is no regular file")
    with os.fdopen(descriptor, "rb") as stream:
        size = os.fstat(descriptor).st_size
        if size > max_bytes:
            raise _invalid(where, f"{path} is larger than {max_bytes} bytes")
        # what somebody appends meanwhile is not waited for; the digest is compared afterwards
        return stream.read(size)


def _signature(root: int, path: str) -> IndexedFile | None:
    """Return the signature as if it were listed: no index can list what is made of it."""
    try:
        descriptor = open_file(root, path)
    except OSError:
        return None
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb") as stream:
        data = stream.read(MAX_SIGNATURE_BYTES + 1)
    if len(data) > MAX_SIGNATURE_BYTES:
        return None
    return IndexedFile(SIGNATURE_PATH, Blob(Digest.sha256(data), len(data)), 0o644, "")


def _look(root: int, below: str, paths: Iterable[str]) -> Iterable[tuple[str, _Seen]]:
    """Yield every path that is a regular file, with what it is; each directory is opened once."""
    parent, directory = "", open_directory(root, below.rstrip("/"))
    try:
        for path in sorted(paths, key=lambda path: path.rpartition("/")):
            folder, _, name = path.rpartition("/")
            if folder != parent:
                if directory >= 0:
                    os.close(directory)
                directory, parent = -1, folder
                try:
                    directory = open_directory(root, below + folder)
                except OSError:
                    continue
            if directory < 0:
                continue
            try:
                status = os.stat(name, dir_fd=directory, follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                readable = os.access(name, os.R_OK, dir_fd=directory)
                yield path, _Seen(identity_of(status), date_of(status), readable)
    finally:
        if directory >= 0:
            os.close(directory)


def _changed_digests(
    root: int, directory: str, listed: Mapping[str, IndexedFile], seen: Mapping[str, _Seen], verify: Task | None
) -> set[str]:
    # the index may be replaced while it is read; these two are small
    wanted = _OWN_FILES if verify is None else tuple(listed)
    base = open_directory(root, directory)
    try:
        there = [listed[path] for path in wanted if path in seen and seen[path].readable]
        outcomes = check_files(base, there, verify or Unwatched())
        return {str(file.path) for file, outcome in outcomes if outcome != "intact"}
    finally:
        os.close(base)


def _children(files: Iterable[str], directories: Iterable[str]) -> dict[str, tuple[str, ...]]:
    names: dict[str, set[str]] = {"": set()}
    for path in (*files, *directories):
        parent, _, name = path.rpartition("/")
        names.setdefault(parent, set()).add(name)
    return {parent: tuple(sorted(below)) for parent, below in names.items()}
