"""Metadata as they are published -> plain bytes that can be read from any place, without ever holding them in memory.

Owns how long metadata may get; refuses to know what the bytes say, and leaves decompressing to `bundler.decompress`.
The plain bytes lie in a file without a name, in a directory of the caller's: page cache that the kernel can take back,
where a memfd of a big distribution's file lists would count as memory until the end.
"""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, BinaryIO, assert_never

from bundler.decompress import BLOCK_BYTES, LONGEST_MAGIC, CompressedDataError, PlainReader
from bundler.durable import storage_errors
from bundler.rpm.metadata.xml_document import invalid_metadata
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.errors import SourceError

# The file lists of all of Fedora are below 1 GiB.
MAX_PLAIN_BYTES = 4 * 1024**3
# zchunk_format.txt
_ZCHUNK = b"\0ZCK1"


def open_plain(source: BinaryIO, *, directory: Path, where: str, max_bytes: int = MAX_PLAIN_BYTES) -> BinaryIO:
    """Return the plain bytes of a stream as a seekable file at its beginning; the caller closes it.

    Arguments:
        source: gzip, xz, zstd, bzip2 (each of several streams) or plain bytes; read to its end, not closed.
        directory: where the file without a name lies; it exists.
        where: what the bytes are, for messages.
        max_bytes: more plain bytes than this are taken for a bomb.

    Raises SourceError (REPO_METADATA_INVALID: truncated, damaged, too long, zchunk), StorageError, ToolMissingError.
    """
    with storage_errors(directory):
        plain: BinaryIO = tempfile.TemporaryFile(dir=directory)  # noqa: SIM115 - the caller closes it
    try:
        reader = _plain_reader(source, where)
        written = 0
        while block := _block(reader, where):
            written += len(block)
            if written > max_bytes:
                raise invalid_metadata(tr("unpacks to more than {max_bytes} bytes", max_bytes=max_bytes), where)
            with storage_errors(directory):
                plain.write(block)
        with storage_errors(directory):
            plain.seek(0)
    except BaseException:
        plain.close()
        raise
    return plain


def _plain_reader(source: BinaryIO, where: str) -> PlainReader:
    with storage_errors(where):
        head = source.read(max(LONGEST_MAGIC, len(_ZCHUNK)))
    if head.startswith(_ZCHUNK):
        raise invalid_metadata(
            tr("is zchunk, which is not read; the repository has to offer gzip, xz or zstd too"), where
        )
    return PlainReader(source, head, where=where, compressed="repositories")


def _block(reader: PlainReader, where: str) -> bytes:
    try:
        return reader.read(BLOCK_BYTES)
    except CompressedDataError as error:
        raise _refusal(error, where) from error


def _refusal(error: CompressedDataError, where: str) -> SourceError:
    match error.flaw:
        case "damaged":
            return invalid_metadata(
                tr("is damaged, or not what its first bytes say: {detail}", detail=error.detail), where
            )
        case "cut short":
            return invalid_metadata(tr("is cut short"), where)
        case "followed":
            return invalid_metadata(tr("is followed by something that does not belong to it"), where)
        case "too much memory":
            return invalid_metadata(tr("needs too much memory to decompress"), where)
        case _:
            assert_never(error.flaw)
