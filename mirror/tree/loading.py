"""Read what lies below the mirror's root into a `Site`: which bundles, which files of them are as listed.

Owns the checks at the start and at every reload. Trusts nothing below the root: no link but `current` is followed.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.archive_reader import read_contents
from bundler.archive.beneath import open_directory, open_file
from bundler.archive.tree import check_files
from bundler.errors import BundleFormatError, ErrorId, ServeError
from bundler.model.bundle import ID_CHARACTERS, INDEX_PATH, MAX_INDEX_BYTES, SIGNATURE_PATH, SUMS_PATH, IndexedFile
from bundler.model.digest import Blob, Digest
from bundler.model.progress import Unwatched
from mirror.tree.bundle import Fault, ServedBundle
from mirror.tree.identity import identity_of
from mirror.tree.media_types import media_type
from mirror.tree.served import File, Place
from mirror.tree.site import BUNDLE_MARK, Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.archive.archive_reader import Contents
    from bundler.model.progress import Task
    from mirror.tree.identity import Identity
    from mirror.tree.shares import Share

CURRENT = "current"
MAX_SIGNATURE_BYTES = 64 * 1024
_OWN_FILES = (INDEX_PATH, SUMS_PATH)


@dataclass(frozen=True, slots=True)
class Root:
    """The directory that is served.

    Arguments:
        descriptor: open for the life of the mirror, so that neither privileges nor renames above it matter later.
        name: its path, for messages.
    """

    descriptor: int
    name: str


def load_site(root: Root, shares: Sequence[Share], *, verify: Task | None = None) -> Site:
    """Look at everything below the root and return what can be served.

    Arguments:
        shares: added as they are; a share at "" means that the root need not hold a bundle.
        verify: when given, the digest of every listed file is compared, and the task advanced by the bytes read.

    Raises ServeError (SERVE_ROOT_UNUSABLE, SERVE_PATH_TAKEN) and, when the root itself is a bundle that cannot be
    read, BundleFormatError. A bundle one level below that cannot be read is left out and named in `Site.problems`.
    """
    bundles: list[ServedBundle] = []
    problems: list[str] = []
    if _is_there(root.descriptor, INDEX_PATH):
        bundles.append(_load_bundle(root, "", verify))
        current: str | None = ""
    else:
        for directory in _bundle_directories(root):
            try:
                bundles.append(_load_bundle(root, directory, verify))
            except (BundleFormatError, OSError) as error:
                problems.append(f"{directory} is left out: {error}")
        current = _current_directory(root)
    by_directory = {bundle.directory: bundle for bundle in bundles}
    site = Site(
        bundles=tuple(by_directory[name] for name in sorted(by_directory)),
        current=by_directory.get(current) if current is not None else None,
        shares=tuple(sorted(shares, key=lambda share: -len(share.path))),
        problems=tuple(problems),
    )
    _refuse_taken_paths(site)
    return site


def _is_there(root: int, path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path, dir_fd=root, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _bundle_directories(root: Root) -> list[str]:
    try:
        with os.scandir(root.descriptor) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError as error:
        raise ServeError(
            ErrorId.SERVE_ROOT_UNUSABLE,
            f"the directory cannot be listed: {error.strerror}",
            where=root.name,
            remedy="Let the user that the mirror runs as read it (chmod o+rx), or choose another with --user.",
        ) from error
    # a name that is no UTF-8, or that no URL should hold, is nobody's bundle
    return sorted(name for name in names if name.isprintable() and _is_there(root.descriptor, f"{name}/{INDEX_PATH}"))


def _current_directory(root: Root) -> str | None:
    """Return the name that the link `current` points at: one of the root's own directories, or nothing."""
    try:
        target = os.readlink(CURRENT, dir_fd=root.descriptor)
    except OSError:
        return None
    name = target.rstrip("/").removeprefix(f"{root.name.rstrip('/')}/").removeprefix("./")
    return name if "/" not in name else None


def _load_bundle(root: Root, directory: str, verify: Task | None) -> ServedBundle:
    where = f"{root.name}/{directory}" if directory else root.name
    below = f"{directory}/" if directory else ""
    contents = read_contents(_read(root.descriptor, f"{below}{INDEX_PATH}", MAX_INDEX_BYTES, where), where)
    listed = dict(contents.listed)
    if (signature := _signature(root.descriptor, f"{below}{SIGNATURE_PATH}")) is not None:
        listed[SIGNATURE_PATH] = signature
    statuses = dict(_statuses(root.descriptor, below, listed))
    changed = _changed_digests(root.descriptor, directory, listed, statuses, verify)
    faults = tuple(
        Fault(path, "missing" if path not in statuses else "changed")
        for path in sorted(listed)
        if path not in statuses or statuses[path][0].size != listed[path].blob.size or path in changed
    )
    broken = {fault.path for fault in faults}
    short_id = contents.id[:ID_CHARACTERS]
    newest = max((modified_s for _, modified_s in statuses.values()), default=0)
    files = {
        path: _served_file(
            file, Place(root.descriptor, below + path), None if path in broken else statuses[path][0],
            statuses[path][1] if path in statuses else newest, short_id,
        )
        for path, file in listed.items()
    }  # fmt: skip
    return ServedBundle(
        id=contents.id,
        directory=directory,
        index=contents.index,
        files=files,
        children=_children(files, contents),
        modified_s=newest,
        faults=faults,
        verified=None if verify is None else not faults,
    )


def _served_file(file: IndexedFile, place: Place, identity: Identity | None, modified_s: int, short_id: str) -> File:
    return File(
        place=place,
        size=file.blob.size,
        etag=f'"{file.blob.digest.hex}"',
        modified_s=modified_s,
        media_type=media_type(file.path),
        identity=identity,
        bundle=short_id,
        path=str(file.path),
        digest=file.blob.digest,
        listed=None if file.path in (*_OWN_FILES, SIGNATURE_PATH) else file,
    )


def _read(root: int, path: str, max_bytes: int, where: str) -> bytes:
    descriptor = open_file(root, path)
    if descriptor is None:
        raise BundleFormatError(
            ErrorId.BUNDLE_INVALID,
            f"{path} is no regular file",
            where=where,
            remedy="Unpack the bundle again.",
        )
    with os.fdopen(descriptor, "rb") as stream:
        data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise BundleFormatError(
            ErrorId.BUNDLE_INVALID,
            f"{path} is larger than {max_bytes} bytes",
            where=where,
            remedy="Unpack the bundle again.",
        )
    return data


def _signature(root: int, path: str) -> IndexedFile | None:
    """Return the signature as if it were listed: no index can list what is made of it."""
    try:
        data = _read(root, path, MAX_SIGNATURE_BYTES, path)
    except (OSError, BundleFormatError):
        return None
    return IndexedFile(SIGNATURE_PATH, Blob(Digest.sha256(data), len(data)), 0o644, "")


def _statuses(root: int, below: str, paths: Iterable[str]) -> Iterable[tuple[str, tuple[Identity, int]]]:
    """Yield path -> identity and date of every path that is a regular file; each directory is opened once."""
    parent, directory = "", open_directory(root, below.rstrip("/"))
    try:
        for path in sorted(paths, key=lambda path: path.rpartition("/")):
            folder, _, name = path.rpartition("/")
            if folder != parent:
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
                yield path, (identity_of(status), int(status.st_mtime))
    finally:
        if directory >= 0:
            os.close(directory)


def _changed_digests(
    root: int,
    directory: str,
    listed: Mapping[str, IndexedFile],
    statuses: Mapping[str, tuple[Identity, int]],
    verify: Task | None,
) -> set[str]:
    # the index may be replaced while it is read; these two are small
    wanted = _OWN_FILES if verify is None else tuple(listed)
    base = open_directory(root, directory)
    try:
        there = [listed[path] for path in wanted if path in statuses]
        outcomes = check_files(base, there, verify or Unwatched())
        return {str(file.path) for file, outcome in outcomes if outcome != "intact"}
    finally:
        os.close(base)


def _children(files: Mapping[str, File], contents: Contents) -> dict[str, tuple[str, ...]]:
    names: dict[str, set[str]] = {"": set()}
    for path in (*files, *contents.directories):
        parent, _, name = path.rpartition("/")
        names.setdefault(parent, set()).add(name)
    return {parent: tuple(sorted(below)) for parent, below in names.items()}


def _refuse_taken_paths(site: Site) -> None:
    for share in site.shares:
        top = share.path.partition("/")[0]
        taken = top in ("-", "v2") or top.startswith(BUNDLE_MARK)
        if share.path and (taken or any(bundle.find(share.path, "") for bundle in site.bundles)):
            raise ServeError(
                ErrorId.SERVE_PATH_TAKEN,
                "the mirror serves something else at this path already",
                where=f"--share /{share.path}",
                remedy="Choose another path for it.",
            )
