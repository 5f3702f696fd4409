"""An unpacked bundle on disk: its index, and the state of its files. Follows no link below the root."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal

from bundler.archive.checked_index import CheckedIndex, check_index, refusal
from bundler.archive.faults import not_found
from bundler.archive.open_beneath import open_directory, open_file, open_root
from bundler.durable import storage_errors
from bundler.errors import BundleFormatError, BundlerError
from bundler.large_memory import expect_text
from bundler.model.bundle import INDEX_PATH, MAX_INDEX_BYTES, SUMS_PATH, decode_index, is_signature
from bundler.model.subset import SUBSET_PATH
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future
    from io import BufferedReader
    from pathlib import Path

    from bundler.model.bundle import IndexedFile
    from bundler.model.progress import Task

READ_BYTES = 1024 * 1024
MAX_THREADS = 4
# files that are hashed or wait for a thread: what waits takes more memory than what is known of a file
MAX_BEGUN = 64
# compared with what the index lists
FileState = Literal["intact", "missing", "changed"]


def is_tree(path: Path) -> bool:
    """Tell whether a path is a directory, not one of parts, and so can only be a bundle. Raises StorageError."""
    from bundler.archive.part_set import holds_parts  # who knows that it is a tree does not ask

    with storage_errors(path):
        return path.is_dir() and not holds_parts(path)


def tree_index(root: Path) -> CheckedIndex:
    """Read the bundle.json of an unpacked tree. Raises BundleFormatError, IntegrityError, StorageError."""
    data = read_beneath(root, INDEX_PATH, MAX_INDEX_BYTES)
    if data is None:
        raise not_found(str(root), tr("holds no bundle.json"))
    try:
        return check_index(data, str(root))
    except BundleFormatError as error:
        raise refusal(error, data, read_beneath(root, SUMS_PATH, MAX_INDEX_BYTES)) from error


def readable_files(root: Path) -> tuple[IndexedFile, ...]:
    """Return what a tree lists; nothing when its index cannot be read, for others read it and say why.

    It is read piece by piece and let go, for whoever asks holds an index of that size already.
    """
    try:
        with storage_errors(root), _opened_beneath(root, INDEX_PATH) as stream:
            if stream is None or os.fstat(stream.fileno()).st_size > MAX_INDEX_BYTES:
                return ()
            return decode_index(stream, where=str(root)).files
    except BundlerError:
        return ()


def read_beneath(root: Path, path: str, max_bytes: int) -> bytes | None:
    """Return a file's bytes; None when it is absent, not a regular file, or larger than that. Raises StorageError."""
    with storage_errors(root), _opened_beneath(root, path) as stream:
        data = None if stream is None else stream.read(max_bytes + 1)
    return data if data is not None and len(data) <= max_bytes else None


@contextmanager
def _opened_beneath(root: Path, path: str) -> Iterator[BufferedReader | None]:
    """Open a file below a directory; None when it is absent or no regular file. Raises OSError."""
    descriptor = None
    with suppress(FileNotFoundError, NotADirectoryError):
        directory = open_root(root)
        try:
            with suppress(FileNotFoundError):
                descriptor = open_file(directory, path)
        finally:
            os.close(directory)
    if descriptor is None:
        yield None
        return
    with os.fdopen(descriptor, "rb") as stream:
        expect_text(os.fstat(descriptor).st_size)
        yield stream


def check_files(root: int, files: Iterable[IndexedFile], task: Task) -> Iterator[tuple[IndexedFile, FileState]]:
    """Yield what `examine_files` does; raises OSError when a file cannot be read."""
    for file, state in examine_files(root, files, task):
        if isinstance(state, OSError):
            raise state
        yield file, state


def examine_files(
    root: int, files: Iterable[IndexedFile], task: Task
) -> Iterator[tuple[IndexedFile, FileState | OSError]]:
    """Yield each file with its state, in the order given; several are hashed at once.

    A file that cannot be read comes with its OSError.

    Arguments:
        root: descriptor of the directory they should lie below.
    """
    from concurrent.futures import ThreadPoolExecutor  # with its logging as slow to load as much of ours

    stop = threading.Event()
    advanced = threading.Lock()

    def state(file: IndexedFile) -> FileState | OSError:
        try:
            return compared(file)
        except FileNotFoundError:
            return "missing"
        except OSError as error:
            return error

    def compared(file: IndexedFile) -> FileState:
        descriptor = open_file(root, file.path)
        if descriptor is None:
            return "changed"
        try:
            if os.fstat(descriptor).st_size != file.blob.size:
                return "changed"
            digest = hashlib.sha256()
            buffer = bytearray(min(READ_BYTES, file.blob.size))
            while not stop.is_set() and (count := os.readv(descriptor, [buffer])):
                digest.update(memoryview(buffer)[:count])
                with advanced:
                    task.advance(count)
            return "intact" if digest.hexdigest() == file.blob.digest.hex else "changed"
        finally:
            os.close(descriptor)

    threads = max(1, min(MAX_THREADS, len(os.sched_getaffinity(0))))
    with ThreadPoolExecutor(threads, "verify") as pool:
        begun: deque[tuple[IndexedFile, Future[FileState | OSError]]] = deque()
        try:
            for file in files:
                begun.append((file, pool.submit(state, file)))
                if len(begun) > MAX_BEGUN:
                    first, found = begun.popleft()
                    yield first, found.result()
            for first, found in begun:
                yield first, found.result()
        finally:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)


def _describes(path: str) -> bool:
    """Tell whether a path is the bundle's although no index lists it."""
    return is_signature(path) or path == SUBSET_PATH


def unlisted_paths(root: int, checked: CheckedIndex, below: str = "") -> Iterator[str]:
    """Yield the paths of the tree that are not listed; a directory without any listed file as one `path/`."""
    directory = open_directory(root, below)
    try:
        with os.scandir(directory) as entries:
            found = sorted(((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries), key=lambda e: e[0])
    finally:
        os.close(directory)
    for name, is_directory in found:
        path = f"{below}/{name}" if below else name
        if is_directory and path in checked.directories:
            yield from unlisted_paths(root, checked, path)
        elif path not in checked.listed and path not in checked.directories and not _describes(path):
            yield f"{path}/" if is_directory else path
