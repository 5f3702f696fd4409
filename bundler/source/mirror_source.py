"""The bundle that a running mirror serves, as a source: single files by URL, resumed where an earlier run stopped.

Owns what is asked of the mirror and what its answers mean. Trusts none of them: whoever unpacks compares every file
with bundle.json, whose id the user may demand. Refuses to know HTTP; `net` does.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import quote, urlsplit

from bundler.archive.bundle_reader import ArchivedFile, GivesSingleFiles, OwnFile, unlisted_file
from bundler.archive.checked_index import check_index
from bundler.durable import storage_errors
from bundler.errors import BundleFormatError, BundlerError, ErrorId, IntegrityError, SourceError
from bundler.model.bundle import (
    INDEX_PATH,
    MAX_INDEX_BYTES,
    SIGNATURE_PATH,
    SUMS_PATH,
    bundle_id,
)
from bundler.model.digest import ID_CHARACTERS
from bundler.model.signature_name import MAX_SIGNATURE_BYTES, further_name
from bundler.net.redact import redact
from bundler.source.mirror_errors import OTHER_BYTES, VERIFY_THERE, mirror_errors
from bundler.source.passing_mirror import PassingMirror
from bundler.threads import attempt_each
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from bundler.archive.bundle_reader import BundleReader
    from bundler.archive.checked_index import CheckedIndex
    from bundler.model.bundle import IndexedFile
    from bundler.model.progress import Progress, Task
    from bundler.net.interface import Downloader
    from bundler.store.interface import BlobStore, Incoming

_READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class MirrorReader(GivesSingleFiles):
    """See `BundleReader`; made by `open_mirror`.

    Arguments:
        url: what stands before a path of the bundle, with `/` at its end.
        date: of bundle.json, in seconds since the epoch, for files whose own is not known.
        store: where files wait until they are read; what is there already is not fetched.
        jobs: how many files are fetched at once.
    """

    url: str
    checked: CheckedIndex
    signatures: Mapping[str, bytes]
    date: int
    downloader: Downloader
    store: BlobStore
    progress: Progress
    jobs: int
    directory_dates: Mapping[str, int]

    def files(self, wanted: AbstractSet[str]) -> Iterator[ArchivedFile]:
        """Fetch the wanted files that the mirror has, several at once, then yield them by path, and the signatures.

        Raises SourceError, IntegrityError (UPSTREAM_CHANGED), StorageError; what has arrived stays in the store.
        """
        files = [self.checked.listed[path] for path in sorted(wanted)]
        dates = self._fetch(files)
        linkable = {file.blob for file in files}
        for file in files:
            if file.path in dates:
                # one path for each blob: a second one may want another mode
                yield from self._read(file, dates[file.path], link=file.blob in linkable)
                linkable.discard(file.blob)
        for path, data in self.signatures.items():
            yield unlisted_file(path, data, self.date)

    def _read(self, file: IndexedFile, date: int, *, link: bool) -> Iterator[ArchivedFile]:
        path = self.store.path(file.blob)
        with storage_errors(path), path.open("rb", buffering=0) as stream:
            status = os.fstat(stream.fileno())
            own = OwnFile.of(path, status) if link else None
            yield ArchivedFile(file.path, status.st_size, date, file, _chunks(stream), own)

    def _fetch(self, files: Sequence[IndexedFile]) -> dict[str, int]:
        """Bring files into the store; return the dates of those that the mirror has, by path."""
        distinct = list({file.blob: file for file in files}.values())
        self.progress.expect(sum(file.blob.size for file in distinct))

        def attempt(number: int, _is_over: object) -> int | None:
            file = distinct[number]
            task = self.progress.task(file.path, file.blob.size)
            try:
                date = self._fetch_one(file, task)
            except BaseException:
                task.finish(tr("failed"))
                raise
            task.finish("" if date is not None else tr("missing"))
            return date

        try:
            found = attempt_each(len(distinct), attempt, threads=self.jobs).results
        except BundlerError as error:
            raise self._explained(error) from error
        dates = {file.blob: found[number] for number, file in enumerate(distinct)}
        return {file.path: date for file in files if (date := dates[file.blob]) is not None}

    def _fetch_one(self, file: IndexedFile, task: Task) -> int | None:
        if self._is_there(file):
            task.advance(file.blob.size)
            return self.date
        with self.store.incoming(str(file.blob.digest)) as incoming:
            try:
                with mirror_errors():
                    received = self.downloader.download(
                        [self.url + quote(file.path)],
                        incoming,
                        task,
                        size=file.blob.size,
                        accept=lambda _received: self._accept(incoming, file),
                    )
            except SourceError as error:
                if error.id is ErrorId.SOURCE_NOT_FOUND:
                    return None
                raise
            return received.last_modified or self.date

    def _is_there(self, file: IndexedFile) -> bool:
        """Tell whether an earlier run has fetched a file; one that has rotted since is dropped."""
        if not self.store.has(file.blob):
            return False
        path = self.store.path(file.blob)
        with storage_errors(path), path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() == file.blob.digest.hex:
                return True
        self.store.drop(file.blob)
        return False

    def _accept(self, incoming: Incoming, file: IndexedFile) -> None:
        got = incoming.digest("sha256")
        if got != file.blob.digest:
            raise IntegrityError(
                ErrorId.UPSTREAM_CHANGED,
                OTHER_BYTES,
                where=redact(self.url + quote(file.path)),
                remedy=VERIFY_THERE,
                want=str(file.blob.digest),
                got=str(got),
            )
        incoming.commit(file.blob.digest, size=file.blob.size)

    def _explained(self, error: BundlerError) -> BundlerError:
        """Return the error, saying when the mirror serves another bundle by now."""
        try:
            document = self.downloader.read(self.url + INDEX_PATH, max_bytes=MAX_INDEX_BYTES)
        except BundlerError:
            return error
        now = bundle_id(document.data)
        if now == self.checked.id:
            return error
        return error.with_context(
            tr("the mirror serves another bundle by now, {now}", now=now[:ID_CHARACTERS]),
            remedy=tr("Run the command again to get that one."),
        )


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while data := stream.read(_READ_BYTES):
        yield data


def open_mirror(
    url: str,
    downloader: Downloader,
    store: Callable[[CheckedIndex], BlobStore] | None,
    progress: Progress,
    *,
    jobs: int,
    key_ids: Sequence[str] = (),
) -> BundleReader:
    """Open the bundle behind a URL: `http://HOST:PORT/`, or `…/@NAME-ID12/` for one of several.

    Arguments:
        store: returns where its files wait; None to keep nothing of them.
        progress, jobs: see `MirrorReader`.
        key_ids: of the keys whose signatures are asked for, beside the first one.

    Raises SourceError, BundleFormatError (BUNDLE_NOT_FOUND, BUNDLE_INVALID, BUNDLE_FORMAT_NEWER).
    """
    where = redact(url)
    try:
        # asked for alone, it raises ValueError for what is no address; its user and password go into no message
        _ = urlsplit(url).port
    except ValueError as error:
        what = tr("is not a URL that can be asked for")
        raise SourceError(ErrorId.SOURCE_INVALID, what, where=where, remedy=tr("Correct the URL.")) from error
    base = url if url.endswith("/") else f"{url}/"
    try:
        with mirror_errors():
            document = downloader.read(base + INDEX_PATH, max_bytes=MAX_INDEX_BYTES)
    except SourceError as error:
        if error.id is not ErrorId.SOURCE_NOT_FOUND:
            raise
        raise BundleFormatError(
            ErrorId.BUNDLE_NOT_FOUND,
            tr("no bundle is served there"),
            where=where,
            remedy=tr("Give the mirror's address as its page shows it, or `…/@NAME-ID12/` for one of several bundles."),
        ) from error
    checked = check_index(document.data, where)
    date = document.last_modified or 0
    dates = dict.fromkeys(checked.directories, date)
    signatures = _signatures(base, downloader, key_ids)
    if store is None:
        return PassingMirror(base, checked, signatures, date, downloader, dates)
    return MirrorReader(base, checked, signatures, date, downloader, store(checked), progress, jobs, dates)


def _signatures(base: str, downloader: Downloader, key_ids: Sequence[str]) -> dict[str, bytes]:
    """Return the signatures that the mirror has: the first one, and those of the keys that somebody asks for."""
    found: dict[str, bytes] = {}
    for name in (SIGNATURE_PATH, *(further_name(SUMS_PATH, key_id) for key_id in key_ids)):
        try:
            with mirror_errors():
                found[name] = downloader.read(base + name, max_bytes=MAX_SIGNATURE_BYTES).data
        except SourceError as error:
            if error.id is not ErrorId.SOURCE_NOT_FOUND:
                raise
    return found
