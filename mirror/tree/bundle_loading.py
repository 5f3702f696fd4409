"""Read one unpacked bundle below the mirror's root: its index, and which files are as listed. Follows no link."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from bundler.archive.bundle_root import directory_name
from bundler.archive.bundle_signatures import bundle_verdict, tree_signatures
from bundler.archive.checked_index import check_index, refusal
from bundler.archive.kept_subset import read_subset
from bundler.archive.open_beneath import open_directory, open_file
from bundler.archive.tree import check_files
from bundler.errors import BundleFormatError, ErrorId
from bundler.model.about import ImageAbout
from bundler.model.bundle import INDEX_PATH, SUMS_PATH, IndexedFile
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob
from bundler.model.image.bundled import DOCUMENT_TYPES
from bundler.model.progress import Unwatched
from bundler.translation import tr
from bundler.trust.admission import ANYTHING
from mirror.tree.foreign_files import foreign_files
from mirror.tree.identity import date_of, identity_of
from mirror.tree.media_types import media_type

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from bundler.archive.checked_index import CheckedIndex
    from bundler.model.bundle import BundleIndex
    from bundler.model.progress import Task
    from bundler.trust.admission import Admission
    from mirror.tree.identity import Identity
    from mirror.tree.served_bundle import FaultWord

# about 100,000 files; what the format allows beyond that would cost every worker gigabytes
MAX_SERVED_INDEX_BYTES = 64 * 1024 * 1024
_OWN_FILES = (INDEX_PATH, SUMS_PATH)


class FoundFile(NamedTuple):
    """A regular file that lies where a listed one should."""

    identity: Identity
    modified_s: int
    readable: bool


@dataclass(frozen=True, slots=True)
class LoadedBundle:
    """An unpacked bundle that was read and looked at.

    Arguments:
        id: in full.
        directory: the bundle's name below the mirror's root, "" for the root itself.
        index: what bundle.json says, without the files that a part leaves out.
        listed: every path that is served, bundle.json, SHA256SUMS and its signatures included.
        directories: every directory that they need, but the top.
        found: what is there of the listed paths.
        faults: listed paths that are absent or not what is listed, with their words.
        sound: those of them whose content is not in doubt.
        left_out: what bundle.json lists and neither is here nor belongs here, of a part of a bundle; in nothing above.
        verified: whether every digest was compared, and matched; None when nobody asked for it.
    """

    id: str
    directory: str
    index: BundleIndex
    listed: Mapping[str, IndexedFile]
    directories: Collection[str]
    found: Mapping[str, FoundFile]
    faults: Mapping[str, FaultWord]
    sound: Collection[str] = ()
    left_out: tuple[IndexedFile, ...] = ()
    verified: bool | None = None

    @property
    def unpacked_name(self) -> str:
        """The name of the directory that `unpack --root` gives it."""
        return directory_name(self.index.name, self.id)

    @property
    def modified_s(self) -> int:
        """The newest date of its files, in seconds since the epoch."""
        return max((found.modified_s for found in self.found.values()), default=0)

    def served_type(self, path: str) -> str:
        """Return a file's media type: that of an image's document, which its name does not tell, or by the name."""
        about = self.listed[path].about
        if isinstance(about, ImageAbout) and about.media_type in DOCUMENT_TYPES:
            return about.media_type
        return media_type(path)


def load_bundle(
    root: int, directory: str, where: str, verify: Task | None, admission: Admission = ANYTHING
) -> LoadedBundle:
    """Read a bundle and look at every file that it lists.

    Arguments:
        root: descriptor of the mirror's root.
        directory: the bundle's name in it, "" for the root itself.
        where: the bundle's directory, for messages.
        verify: when given, every digest is compared, and the task advanced by the bytes read.
        admission: whose signatures it needs.

    Raises BundleFormatError, IntegrityError (also for a subset.json that is none), and OSError when the index or the
    bundle's directory cannot be read.
    """
    below = f"{directory}/" if directory else ""
    checked = _checked_index(root, below, where)
    signatures = tree_signatures(root, directory)
    bundle_verdict(checked, signatures, admission)
    # as if they were listed: no index can list what is made of it
    listed = {
        **checked.listed,
        **{path: IndexedFile(BundlePath(path), Blob.of(data), 0o644, "") for path, data in signatures.items()},
    }
    found = dict(_look(root, below, listed))
    left_out = _left_out(root, directory, checked, found)
    listed = {path: file for path, file in listed.items() if path not in left_out}
    changed = _changed_digests(root, directory, listed, found, verify)
    faults = {path: word for path, file in listed.items() if (word := _fault(path, file, found.get(path), changed))}
    foreign = {} if verify is None else foreign_files(root, directory, checked)
    foreign = {path: word for path, word in foreign.items() if path in found}
    faults = foreign | faults
    return LoadedBundle(
        id=checked.id,
        directory=directory,
        index=_without(checked.index, left_out),
        listed=listed,
        directories=checked.directories
        if not left_out
        else {parent for file in listed.values() for parent in file.path.parents},
        found=found,
        faults=faults,
        sound=frozenset(path for path, word in faults.items() if word == foreign.get(path)),
        left_out=tuple(left_out.values()),
        verified=None if verify is None else not faults,
    )


def _checked_index(root: int, below: str, where: str) -> CheckedIndex:
    """Read bundle.json. Raises BundleFormatError; IntegrityError where SHA256SUMS says that it was another one."""
    data = _read(root, f"{below}{INDEX_PATH}", MAX_SERVED_INDEX_BYTES, where)
    try:
        return check_index(data, where)
    except BundleFormatError as error:
        try:
            sums = _read(root, f"{below}{SUMS_PATH}", MAX_SERVED_INDEX_BYTES, where)
        except (BundleFormatError, OSError):
            sums = None
        raise refusal(error, data, sums) from error


def _invalid(where: str, what: str) -> BundleFormatError:
    return BundleFormatError(ErrorId.BUNDLE_INVALID, what, where=where, remedy=tr("Unpack the bundle again."))


def _fault(path: str, file: IndexedFile, seen: FoundFile | None, changed: set[str]) -> FaultWord | None:
    if seen is None:
        return "missing"
    if seen.identity.size != file.blob.size or path in changed:
        return "changed"
    return None if seen.readable else "unreadable"


def _read(root: int, path: str, max_bytes: int, where: str) -> bytes:
    descriptor = open_file(root, path)
    if descriptor is None:
        raise _invalid(where, tr("{path} is no regular file", path=path))
    with os.fdopen(descriptor, "rb") as stream:
        size = os.fstat(descriptor).st_size
        if size > max_bytes:
            raise _invalid(where, tr("{path} is larger than {max_bytes} bytes", path=path, max_bytes=max_bytes))
        # what somebody appends meanwhile is not waited for; the digest is compared afterwards
        return stream.read(size)


def _look(root: int, below: str, paths: Iterable[str]) -> Iterable[tuple[str, FoundFile]]:
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
                yield path, FoundFile(identity_of(status), date_of(status), readable)
    finally:
        if directory >= 0:
            os.close(directory)


def _left_out(root: int, directory: str, checked: CheckedIndex, found: Collection[str]) -> dict[str, IndexedFile]:
    """Return what subset.json leaves out and is not here, by path; what lies there is held to the index."""
    base = open_directory(root, directory)
    try:
        subset = read_subset(base, checked)
        if subset is None:
            return {}
        unwanted = (file for file in checked.listed.values() if file.path not in found and not subset.wants(file))
        return {file.path: file for file in unwanted if _is_absent(base, file.path)}
    finally:
        os.close(base)


def _without(index: BundleIndex, left_out: Mapping[str, IndexedFile]) -> BundleIndex:
    if not left_out:
        return index
    return replace(index, files=tuple(file for file in index.files if file.path not in left_out))


def _is_absent(base: int, path: str) -> bool:
    try:
        descriptor = open_file(base, path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    if descriptor is not None:
        os.close(descriptor)
    return False


def _changed_digests(
    root: int, directory: str, listed: Mapping[str, IndexedFile], seen: Mapping[str, FoundFile], verify: Task | None
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
