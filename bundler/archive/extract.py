"""The files of an archive that are wanted, verified while they are extracted, and placed below a directory together.

Owns the room that they need and the order in which they get their final names: bundle.json last, after everything else
has reached the disk. Refuses to know what is in the directory already; `unpack` and `unpack_beside` do.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from bundler.archive.checked_index import OWN_MODE
from bundler.archive.faults import damaged, unsafe
from bundler.archive.hashing import HashThread
from bundler.archive.ownership import archive_ownership
from bundler.archive.verify_report import require_own_headers
from bundler.directory_walk import inode_of, opened_directory
from bundler.errors import ErrorId, StorageError
from bundler.model.bundle import INDEX_PATH, SUMS_PATH, is_signature
from bundler.model.size_text import human_bytes
from bundler.model.subset import SUBSET_PATH, encode_subset
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from bundler.archive.bundle_reader import ArchivedFile, BundleReader
    from bundler.archive.staging import Staging
    from bundler.model.bundle import IndexedFile
    from bundler.model.progress import Task
    from bundler.model.subset import Subset

# room that a file system needs per file beside its content: the rest of a block, and an inode
OVERHEAD_BYTES_PER_FILE = 4096


def _is_absent(_file: IndexedFile) -> bool:
    return True


def require_room(root: int, directory: Path, sizes: Iterable[int], *, there_bytes: int = 0) -> None:
    """Raise StorageError (DISK_FULL) when files of these sizes, in bytes, have no room below an opened directory.

    Arguments:
        there_bytes: what of them takes its room on this disk already.
    """
    needed = sum(size + OVERHEAD_BYTES_PER_FILE for size in sizes) - there_bytes
    disk = os.fstatvfs(root)
    free = disk.f_bavail * disk.f_frsize
    if needed > free:
        raise StorageError(
            ErrorId.DISK_FULL,
            tr("the bundle needs {size} and {size2} are free", size=human_bytes(needed), size2=human_bytes(free)),
            where=str(directory),
            remedy=tr("Make room there, or choose another place, and run the command again."),
        )


def extract(
    staging: Staging,
    reader: BundleReader,
    absent: frozenset[str],
    task: Task,
    *,
    unlisted: Callable[[IndexedFile], bool] = _is_absent,
    record: Subset | None = None,
) -> None:
    """Stage the absent files of a bundle, verified, and place them, beside what is placed already.

    Arguments:
        task: advanced by the bytes of content that are read; not finished here.
        unlisted: tells whether a signature, which no index can list, is absent.
        record: what is to stand in subset.json, which is placed with the others.

    Raises IntegrityError (BUNDLE_DAMAGED, ARCHIVE_UNSAFE), OSError, and what the reader raises; nothing has been placed
    then.
    """
    checked = reader.checked
    staged: dict[str, str] = {}
    found: set[str] = set()
    with HashThread() as digest:
        for file in reader.files(absent):
            found.add(file.path)
            signature = file.listed is not None and is_signature(file.path) and unlisted(file.listed)
            wanted = staging if signature or file.path in absent else None
            if (name := _stage(wanted, file, checked.where, digest, task)) is not None:
                staged[file.path] = name
    if missing := sorted({*reader.expected(absent) - found, *reader.missing_directories}):
        raise damaged(checked.where, tr("files are missing"), want=", ".join(missing), got=tr("no such files"))
    require_own_headers(checked.where, archive_ownership(reader.faults))
    if record is not None:
        staged[SUBSET_PATH] = _stage_bytes(staging, encode_subset(record))
    _place(staging, staged, reader.directory_dates)


def _stage(staging: Staging | None, file: ArchivedFile, where: str, digest: HashThread, task: Task) -> str | None:
    """Verify one file, and write it to the staging directory unless that is None; return its staged name."""
    if file.listed is None:
        raise unsafe(
            where,
            tr("{path} is not listed in bundle.json", path=file.path),
            want=tr("listed files only"),
            got=tr("another one"),
        )
    want = file.listed.blob
    if file.size != want.size:
        raise damaged(
            where,
            tr("{path} has another size", path=file.path),
            want=tr("{size} bytes", size=want.size),
            got=tr("{size} bytes", size=file.size),
        )
    with ExitStack() as opened:
        name, descriptor, copies = (None, -1, False) if staging is None else _begun(staging, file, file.listed.mode)
        if name is not None:
            opened.callback(os.close, descriptor)
        digest.begin()
        for chunk in file.chunks:
            digest.update(chunk)
            if copies:
                _write(descriptor, chunk)
            task.advance(len(chunk))
        if (got := file.digest.hex if file.digest else digest.hex()) != want.digest.hex:
            raise damaged(where, tr("{path} holds other bytes", path=file.path), want=want.digest.hex, got=got)
        if name is not None:
            os.utime(descriptor, (file.mtime, file.mtime))
    return name


def _begun(staging: Staging, file: ArchivedFile, mode: int) -> tuple[str, int, bool]:
    """Return the staged name and the descriptor of a file, and whether its content has to be written to it."""
    if file.at is not None:
        # where the file system has no links it is copied
        with suppress(OSError), opened_directory(file.at.path.parent) as directory:
            name, descriptor = staging.link(directory, file.at.path.name)
            # what has the name by now may be a file of somebody whom root would lend its rights
            if inode_of(os.fstat(descriptor)) == file.at.inode:
                os.fchmod(descriptor, mode)
                return name, descriptor, False
            os.close(descriptor)
    return *staging.create(mode), True


def _stage_bytes(staging: Staging, data: bytes) -> str:
    name, descriptor = staging.create(OWN_MODE)
    try:
        _write(descriptor, data)
    finally:
        os.close(descriptor)
    return name


def _write(descriptor: int, data: bytes | memoryview) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _place(staging: Staging, staged: Mapping[str, str], directory_dates: Mapping[str, int]) -> None:
    # before bundle.json, without which nobody asks what was left out
    last = (SUBSET_PATH, SUMS_PATH, INDEX_PATH)
    try:
        for path in (*sorted(staged.keys() - set(last)), *(path for path in last if path in staged)):
            if path == INDEX_PATH:
                # the index declares everything else complete, so everything else reaches the disk before it
                staging.sync()
            staging.place(staged[path], path)
        staging.date_directories(directory_dates)
        os.fsync(staging.target)
    except BaseException:
        staging.roll_back()
        raise
