"""Write NAME.tar.gz: the tar stream in blocks, each block a gzip member, in order, whatever the number of threads.

One thread reads and verifies blobs, a few compress, the calling one hashes and writes. The number of blocks in flight
is bounded, so memory does not grow with the bundle. The files that the bytes end up in are `archive_output`'s.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from bundler.archive.archive_output import one_file
from bundler.archive.gzip_block import MEMBER_BYTES, gzip_member
from bundler.archive.hashing import HashThread
from bundler.archive.member_order import archive_members
from bundler.archive.read_ahead import read_ahead
from bundler.archive.tar_stream import NO_CHECKSUM_CACHE, TarStream
from bundler.compress import DEFLATER
from bundler.model.digest import Blob, Digest
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from collections.abc import Set as AbstractSet
    from concurrent.futures import Future
    from pathlib import Path

    from bundler.archive.archive_output import ArchiveOutput, OpenOutput
    from bundler.archive.tar_stream import ChecksumCache, StreamBlock
    from bundler.model.placement import Placement
    from bundler.model.progress import Task

MIN_THREADS, MAX_THREADS = 2, 4


@dataclass(frozen=True, slots=True)
class WrittenArchive:
    """An archive under its final name; `blob` is the SHA-256 and size of the whole.

    Arguments:
        files: what holds it, in order: itself, or its parts.
    """

    path: Path
    blob: Blob
    files: tuple[Path, ...]


def default_threads() -> int:
    """Return how many threads compress by default: beyond a few, hashing is the limit."""
    return max(MIN_THREADS, min(MAX_THREADS, len(os.sched_getaffinity(0))))


def write_archive(
    files: Sequence[Placement],
    *,
    store_path: Callable[[Blob], Path],
    out: Path,
    task: Task,
    source_date_epoch: int | None = None,
    checksums: ChecksumCache = NO_CHECKSUM_CACHE,
    threads: int | None = None,
    open_output: OpenOutput = one_file,
    left_out: AbstractSet[str] = frozenset(),
) -> WrittenArchive:
    """Write the archive and its `.sha256`, replacing older ones; equal input gives equal bytes.

    Signatures of what had the name before are removed, unless it was the same bytes.

    Arguments:
        files: the complete list, as `bundle_files` makes it; the order does not matter.
        store_path: where a blob of the store lies; its bytes are verified while they are read.
        out: the archive's final name; its directory exists.
        task: advanced by the bytes of content (headers not counted) as they are written; not finished here.
        source_date_epoch: latest date that a member may have, in seconds since the epoch.
        checksums: saves the SHA-256 of files that have not changed since they were verified.
        threads: how many compress.
        open_output: what becomes of the bytes: one file, or parts.
        left_out: paths that a delta leaves to its bases.

    Raises StoredBlobError (a damaged blob of the store), StorageError, ToolMissingError (a deflater that gives other
    bytes). After a failure neither final name has changed and no partial file is left.
    """
    DEFLATER.require(tr("writing archives that are the same on every machine"))
    members = archive_members(files, source_date_epoch, left_out)

    def note_waiting() -> None:
        task.note(tr("waiting for another process that writes {name}", name=out.name))

    with open_output(out, note_waiting) as output:

        def stream(take_buffer: Callable[[], bytearray]) -> Iterator[StreamBlock]:
            return TarStream(store_path, checksums, take_buffer).blocks(members)

        blob = _compress_into(output, stream, task, threads or default_threads())
        return WrittenArchive(out, blob, output.commit(blob))


def _compress_into(
    output: ArchiveOutput, stream: Callable[[Callable[[], bytearray]], Iterator[StreamBlock]], task: Task, threads: int
) -> Blob:
    size = 0
    free: SimpleQueue[bytearray] = SimpleQueue()

    def take_buffer() -> bytearray:
        try:
            return free.get_nowait()
        except Empty:
            return bytearray(MEMBER_BYTES)

    def compressed(block: StreamBlock) -> list[bytes | memoryview]:
        return gzip_member(memoryview(block.buffer)[: block.length], DEFLATER)

    with ThreadPoolExecutor(threads, "compress") as pool, HashThread() as digest:

        def submitted() -> Generator[tuple[Future[list[bytes | memoryview]], StreamBlock]]:
            for block in stream(take_buffer):
                yield pool.submit(compressed, block), block

        with read_ahead(submitted(), depth=2 * threads + 2) as results:
            for result, block in results:
                pieces = result.result()
                size += output.write_all(pieces)
                # the pieces of a stored block are the buffer itself, which is free again once they are hashed
                digest.update_all(pieces, partial(free.put, block.buffer))
                task.advance(block.content_bytes)
        return Blob(Digest("sha256", digest.hex()), size)
