"""Whether an archive's compressed bytes are those that its content gives when it is compressed again.

A deflate stream has bits that no byte of its content depends on. They are compared here, by the deflater that
bundle.json names, and only where this machine's gives the bytes that it should.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.archive.archive_files import as_files, opened
from bundler.archive.gzip_block import gzip_member
from bundler.archive.gzip_members import gzip_members
from bundler.archive.read_ahead import read_ahead
from bundler.compress import DEFLATERS, GZIP_HEADER, GZIP_TRAILER_BYTES
from bundler.translation import tr

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from bundler.archive.archive_files import ArchiveFiles
    from bundler.archive.gzip_members import GzipMember
    from bundler.compress import Deflater
    from bundler.model.progress import Task

THREADS = 2
MEMBERS_AHEAD = 6


@dataclass(frozen=True, slots=True)
class ExactForm:
    """What comparing the compressed form found.

    Arguments:
        differing: where members begin, in bytes of the archive, that content like theirs does not give.
        not_compared: why nothing was compared, for a person; "" where it was.
    """

    differing: tuple[int, ...] = ()
    not_compared: str = ""


def compare_form(path: Path | ArchiveFiles, deflate: str, task: Task) -> ExactForm:
    """Compress an archive's content again and compare, member by member.

    Arguments:
        path: the archive, or its name, or that of any of its parts; it has been verified.
        deflate: what bundle.json calls the deflater.
        task: advanced by the plain bytes; not finished here.

    Raises IntegrityError (BUNDLE_DAMAGED), StorageError.
    """
    deflater = DEFLATERS.get(deflate)
    if deflater is None:
        return ExactForm(not_compared=tr("this version does not know the deflater {deflate!r}", deflate=deflate))
    return compare_form_by(path, deflater, task)


def compare_form_by(path: Path | ArchiveFiles, deflater: Deflater, task: Task) -> ExactForm:
    """Compare as `compare_form` does, by this deflater."""
    if not deflater.reproduces():
        return ExactForm(not_compared=tr("{title} gives other bytes on this machine", title=deflater.title))
    return ExactForm(differing=tuple(_differing(path, deflater, task)))


def _differing(path: Path | ArchiveFiles, deflater: Deflater, task: Task) -> list[int]:
    found: list[int] = []
    waiting: deque[Future[int | None]] = deque()

    def compared(member: GzipMember) -> int | None:
        packed = b"".join(gzip_member(memoryview(member.plain), deflater))
        return None if packed[len(GZIP_HEADER) : -GZIP_TRAILER_BYTES] == member.deflated else member.offset

    def take(keep: int) -> None:
        while len(waiting) > keep:
            if (offset := waiting.popleft().result()) is not None:
                found.append(offset)

    files = as_files(path)
    with ThreadPoolExecutor(THREADS, "compress") as pool, opened(files) as raw:
        with read_ahead(gzip_members(raw, files.where, keep_deflated=True), MEMBERS_AHEAD, stop=files.stop) as members:
            for member in members:
                waiting.append(pool.submit(compared, member))
                task.advance(len(member.plain))
                take(MEMBERS_AHEAD)
        take(0)
    return found
