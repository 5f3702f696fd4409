"""Files of this machine as a source, `file:` URLs (RFC 8089). Their bytes are always read from the beginning."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.net.interface import Document, Received
from bundler.translation import tr

if TYPE_CHECKING:
    from typing import BinaryIO

    from bundler.model.progress import Task
    from bundler.model.sink import Sink

BLOCK_BYTES = 1024 * 1024
_LOCAL_HOSTS = ("", "localhost")


def local_path(url: str) -> Path:
    """Return the path of a `file:` URL; SourceError when it names another host."""
    parts = urlsplit(url)
    if parts.netloc.lower() not in _LOCAL_HOSTS or not parts.path.startswith("/"):
        raise SourceError(
            ErrorId.SOURCE_INVALID,
            tr("is not the URL of a local file"),
            where=url,
            remedy=tr("Write file:///ABSOLUTE/PATH, or a path relative to the manifest."),
        )
    return Path(unquote(parts.path, errors="surrogateescape"))


def copy_file(url: str, sink: Sink, task: Task, *, size: int | None) -> Received:
    """Copy a local file into the sink.

    Raises SourceError (missing, unreadable), IntegrityError (another size than the pinned one), StorageError.
    """
    path = local_path(url)
    with _opened(path) as file:
        found = os.fstat(file.fileno())
        if size is not None and found.st_size != size:
            raise IntegrityError(
                ErrorId.UPSTREAM_CHANGED,
                tr("the file has another size than the one that was locked"),
                where=str(path),
                remedy=tr("Find out why it changed; if that is right, move the entry with `bundler lock --update`."),
                want=tr("{size} bytes", size=size),
                got=tr("{st_size} bytes", st_size=found.st_size),
            )
        task.advance(-sink.offset)
        sink.restart("")
        while block := _read(file, path, BLOCK_BYTES):
            sink.write(block)
            task.advance(len(block))
    return Received(sink.offset, _date(found), "")


def file_size(url: str) -> int:
    """Return a local file's size in bytes; SourceError when there is none."""
    path = local_path(url)
    with _opened(path) as file:
        return os.fstat(file.fileno()).st_size


def read_file(url: str, *, max_bytes: int) -> Document:
    """Return a small local file; SourceError when it is missing or longer than that."""
    path = local_path(url)
    with _opened(path) as file:
        data = _read(file, path, max_bytes + 1)
        if len(data) > max_bytes:
            raise SourceError(
                ErrorId.SOURCE_INVALID,
                tr(
                    "is longer than {max_bytes} bytes, which is more than such a document can have", max_bytes=max_bytes
                ),
                where=str(path),
                remedy=tr("Check that the URL names the right document."),
            )
        return Document(data, _date(os.fstat(file.fileno())), "")


def _date(found: os.stat_result) -> int | None:
    """Return when a file was written, in seconds since the epoch; None for a date before 1970, which cannot be true."""
    return int(found.st_mtime) if found.st_mtime >= 0 else None


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except (OSError, ValueError) as error:
        raise _source_error(error, path) from error


def _read(file: BinaryIO, path: Path, count: int) -> bytes:
    try:
        return file.read(count)
    except OSError as error:
        raise _source_error(error, path) from error


def _source_error(error: Exception, path: Path) -> SourceError:
    absent = isinstance(error, (FileNotFoundError, NotADirectoryError, IsADirectoryError))
    return SourceError(
        ErrorId.SOURCE_NOT_FOUND if absent else ErrorId.SOURCE_REFUSED,
        getattr(error, "strerror", None) or str(error),
        where=str(path),
        remedy=tr("Check the path; a url without scheme is relative to the manifest."),
    )
