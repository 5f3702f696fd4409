"""`bundler unpack`: archive -> tree, verified while it is extracted, complete or absent.

The target may be absent, empty, or hold other files (/opt). Nothing under a final name is touched before every byte is
verified, and bundle.json gets its name last: a directory without it is not a bundle.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.archive_reader import ArchivedFile, ArchiveReader, open_archive
from bundler.archive.faults import damaged, unsafe
from bundler.archive.hashing import HashThread
from bundler.archive.left_staging import remove_left_staging, staging_name
from bundler.archive.ownership import NO_DIFFERENCE, archive_ownership, tree_ownership
from bundler.archive.staging import Staging
from bundler.archive.tree import check_files
from bundler.archive.verify_report import require_own_headers
from bundler.directory_walk import make_directories, open_directory_at, remove_directories
from bundler.durable import storage_errors
from bundler.errors import ErrorId, StorageError
from bundler.model.bundle import INDEX_PATH, SUMS_PATH
from bundler.model.progress import Unwatched

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from bundler.archive.ownership import Ownership
    from bundler.model.bundle import IndexedFile
    from bundler.model.progress import Task
    from bundler.model.removed import Removed

# room that a file system needs per file beside its content: the rest of a block, and an inode
OVERHEAD_BYTES_PER_FILE = 4096


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A bundle that is complete in a directory.

    Arguments:
        present: it already was, and nothing was written.
        removed: what killed runs had left there.
    """

    directory: Path
    id: str
    name: str
    release: str
    files: int
    content_bytes: int
    present: bool
    removed: Removed


def unpack(archive: Path, directory: Path, task: Task) -> Unpacked:
    """Unpack an archive (or its parts) into a directory, which is created when it is absent.

    Existing files with the right content are kept, so that running again completes an interrupted run, or a damaged
    tree whose bad files were removed.

    Arguments:
        task: advanced by the bytes of content; not finished here.

    Raises what `open_archive` raises; IntegrityError (BUNDLE_DAMAGED, ARCHIVE_UNSAFE); StorageError (UNPACK_CONFLICT
    with every path in the way, DISK_FULL before anything is written). After a failure the directory is unchanged.
    """
    with open_archive(archive) as reader:
        checked = reader.checked
        with storage_errors(directory):
            made = make_directories(directory)
            root = open_directory_at(directory)
            complete = False
            try:
                fcntl.flock(root, fcntl.LOCK_EX)
                removed = remove_left_staging(root)
                absent = _absent(root, directory, checked.listed.values(), tree_ownership(root, checked))
                if absent:
                    _require_room(root, directory, (checked.listed[path].blob.size for path in absent))
                    _extract(root, directory, reader, absent, task)
                else:
                    task.advance(checked.total_bytes)
                complete = True
            finally:
                os.close(root)
                if not complete:
                    remove_directories(made)
    return Unpacked(
        directory=directory,
        id=checked.id,
        name=checked.index.name,
        release=checked.index.release,
        files=len(checked.listed),
        content_bytes=checked.total_bytes,
        present=not absent,
        removed=removed,
    )


def _absent(root: int, directory: Path, files: Iterable[IndexedFile], ownership: Ownership) -> frozenset[str]:
    """Return the paths that have to be unpacked; StorageError when other files are in the way."""
    states = [(file.path, state) for file, state in check_files(root, files, Unwatched())]
    in_the_way = {path for path, state in states if state == "changed"} | {*ownership.mode, *ownership.owner}
    if in_the_way:
        other = " (another bundle is unpacked here)" if INDEX_PATH in in_the_way else ""
        raise StorageError(
            ErrorId.UNPACK_CONFLICT,
            f"other files are in the way{other}: {', '.join(sorted(in_the_way))}",
            where=str(directory),
            remedy="Choose another directory, or move these files away, and run the command again.",
        )
    return frozenset(path for path, state in states if state == "missing")


def _require_room(root: int, directory: Path, sizes: Iterable[int]) -> None:
    needed = sum(size + OVERHEAD_BYTES_PER_FILE for size in sizes)
    disk = os.fstatvfs(root)
    free = disk.f_bavail * disk.f_frsize
    if needed > free:
        raise StorageError(
            ErrorId.DISK_FULL,
            f"the bundle needs {needed} bytes and {free} are free",
            where=str(directory),
            remedy="Make room there, or choose another place, and run the command again.",
        )


def _extract(root: int, directory: Path, reader: ArchiveReader, absent: frozenset[str], task: Task) -> None:
    checked = reader.checked
    with Staging(root, staging_name(checked.index.name, checked.id)) as staging:
        staged: dict[str, str] = {}
        found: set[str] = set()
        with HashThread() as digest:
            for file in reader.files():
                found.add(file.path)
                if file.listed is not None and file.path not in checked.listed:
                    # a signature: it is known only now that it was read
                    absent |= _absent(root, directory, (file.listed,), NO_DIFFERENCE)
                wanted = staging if file.path in absent else None
                staged_name = _stage(wanted, file, checked.where, digest, task)
                if staged_name is not None:
                    staged[file.path] = staged_name
        if missing := sorted({*checked.listed.keys() - found, *reader.missing_directories}):
            raise damaged(checked.where, "files are missing", want=", ".join(missing), got="no such files")
        require_own_headers(checked.where, archive_ownership(reader.faults))
        _place(root, staging, staged, reader.directory_dates)


def _stage(staging: Staging | None, file: ArchivedFile, where: str, digest: HashThread, task: Task) -> str | None:
    """Verify one file, and write it to the staging directory unless that is None; return its staged name."""
    if file.listed is None:
        raise unsafe(where, f"{file.path} is not listed in bundle.json", want="listed files only", got="another one")
    want = file.listed.blob
    if file.size != want.size:
        raise damaged(where, f"{file.path} has another size", want=f"{want.size} bytes", got=f"{file.size} bytes")
    name, descriptor = (None, -1) if staging is None else staging.create(file.listed.mode)
    try:
        digest.begin()
        for chunk in file.chunks:
            digest.update(chunk)
            if name is not None:
                _write(descriptor, chunk)
            task.advance(len(chunk))
        if (got := digest.hex()) != want.digest.hex:
            raise damaged(where, f"{file.path} holds other bytes", want=want.digest.hex, got=got)
        if name is not None:
            os.utime(descriptor, (file.mtime, file.mtime))
    finally:
        if name is not None:
            os.close(descriptor)
    return name


def _write(descriptor: int, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _place(root: int, staging: Staging, staged: Mapping[str, str], directory_dates: Mapping[str, int]) -> None:
    last = (SUMS_PATH, INDEX_PATH)
    try:
        for path in (*sorted(staged.keys() - set(last)), *(path for path in last if path in staged)):
            if path == INDEX_PATH:
                # the index declares everything else complete, so everything else reaches the disk before it
                staging.sync()
            staging.place(staged[path], path)
        staging.date_directories(directory_dates)
        os.fsync(root)
    except BaseException:
        staging.roll_back()
        raise
