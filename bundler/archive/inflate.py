"""Compressed bytes -> plain bytes, in a thread of its own. Owns the translation of everything a gzip reader raises."""

from __future__ import annotations

from contextlib import contextmanager
from gzip import BadGzipFile
from typing import TYPE_CHECKING
from zlib import error as zlib_error

from isal import igzip

from bundler.archive.archive_files import damaged_parts, opened
from bundler.archive.faults import OtherFormError, damaged, invalid
from bundler.archive.gzip_members import InflateError, gzip_members
from bundler.archive.mistaken_file import HEAD_BYTES, mistaken_file
from bundler.archive.read_ahead import read_ahead
from bundler.errors import IntegrityError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from bundler.archive.archive_files import ArchiveFiles
    from bundler.errors import BundlerError

# RFC 1952, 2.3.1
MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 512 * 1024
CHUNKS_AHEAD = 6


@contextmanager
def inflated(files: ArchiveFiles, *, own_form: bool = False) -> Iterator[Iterator[bytes]]:
    """Yield the archive's plain bytes, at most CHUNKS_AHEAD chunks ahead of the reader.

    Arguments:
        own_form: whether only the form that bundler writes will do; otherwise any gzip file.

    Raises, while iterating, IntegrityError (BUNDLE_DAMAGED: naming the bad parts of a split archive; truncation, bit
    flips and trailing garbage included), BundleFormatError (not gzip at all), StorageError.
    """
    with read_ahead(_own_chunks(files) if own_form else _chunks(files), CHUNKS_AHEAD, stop=files.stop) as chunks:
        yield chunks


def _chunks(files: ArchiveFiles) -> Generator[bytes]:
    count = 0
    with opened(files) as raw:
        try:
            with igzip.IGzipFile(fileobj=raw, mode="rb") as plain:  # type: ignore[no-untyped-call] # isal leaves it untyped
                while chunk := plain.read(CHUNK_BYTES):
                    count += len(chunk)
                    yield chunk
        # OverflowError: a header with a name, comment or extra field longer than isal's buffer, which no archive has
        except (EOFError, BadGzipFile, zlib_error, InflateError, OverflowError) as error:
            raise _fault(files, error, count) from error
    if not count:
        raise invalid(files.where, tr("is empty"))


def _own_chunks(files: ArchiveFiles) -> Generator[bytes]:
    count = 0
    with opened(files) as raw:
        try:
            for member in gzip_members(raw, files.where):
                count += len(member.plain)
                yield member.plain
        except OtherFormError:
            # what else it may be is found by reading it as any gzip file
            raise
        except IntegrityError as error:
            if bad := files.bad_parts():
                raise damaged_parts(files, bad) from error
            raise
    if not count:
        raise invalid(files.where, tr("is empty"))


def _head(files: ArchiveFiles) -> bytes:
    if files.pipe is not None:
        # its beginning is gone; what has not given one byte never was any
        return b""
    with opened(files) as raw:
        return raw.read(HEAD_BYTES)


def _fault(files: ArchiveFiles, error: Exception, count: int) -> BundlerError:
    if bad := files.bad_parts():
        return damaged_parts(files, bad)
    if not count and not (head := _head(files)).startswith(MAGIC):
        return mistaken_file(files.where, head) or invalid(files.where, tr("is not a gzip file"))
    if isinstance(error, EOFError):
        got = tr("its end after {count} bytes", count=count)
        return damaged(
            files.where, tr("the archive is cut short, or followed by garbage"), want=tr("a whole archive"), got=got
        )
    return damaged(
        files.where,
        tr("the compressed data are damaged"),
        want=tr("intact gzip"),
        got=tr("{error} near byte {count}", error=error, count=count),
    )
