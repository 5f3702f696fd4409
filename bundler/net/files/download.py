"""Plain files over http, https, ftp and file: which place is next when one fails.

Implements `interface.Downloader`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.model.progress import Unwatched
from bundler.net.files import local_file
from bundler.net.files.ftp import FtpDownloader
from bundler.net.files.netrc_file import netrc_credentials
from bundler.net.http.attempt import accepted, content_length, transfer
from bundler.net.http.conditional import NOT_MODIFIED, conditions, confirms, place_of, validators_of
from bundler.net.http.content_coding import codings
from bundler.net.http.status import error_for_status, http_date_s
from bundler.net.interface import Document, Received
from bundler.net.redact import redact
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bundler.model.digest import Digest
    from bundler.model.progress import Task
    from bundler.model.sink import Sink
    from bundler.net.interface import CachedDocument, Credentials, Response, Transport
    from bundler.net.mirrors import MirroredUrl, Mirrors
    from bundler.net.retry import Retry

T = TypeVar("T")
_OK = 200
# the statuses of servers that do not support HEAD (403: signed links of GitHub and S3)
_NO_HEAD = frozenset({400, 403, 405, 501})


@dataclass(frozen=True, slots=True)
class FileDownloader:
    """See `interface.Downloader`; `credentials` are looked up by the requested host, for a mirror by its own."""

    transport: Transport
    mirrors: Mirrors
    retry: Retry
    credentials: Callable[[str], Credentials | None] = netrc_credentials
    ftp: FtpDownloader = field(default_factory=FtpDownloader)

    def download(
        self,
        urls: Sequence[str],
        sink: Sink,
        task: Task,
        *,
        size: int | None = None,
        accept: Callable[[Received], None] | None = None,
    ) -> Received:
        """Download a file into the sink from the first place that has it."""

        def fetch(place: MirroredUrl) -> Received:
            placed = _PlacedSink(sink, place_of(place.url), joins=size is not None)
            return accepted(lambda: self._fetched(place, placed, task, size), accept or _accept_all, sink, task)

        task.advance(sink.offset)
        return self._first(urls, fetch, task)

    def _fetched(self, place: MirroredUrl, sink: Sink, task: Task, size: int | None) -> Received:
        if _is_local(place.url):
            return local_file.copy_file(place.url, sink, task, size=size)

        def attempt() -> Received:
            with self._credentials(place) as credentials:
                if _is_ftp(place.url):
                    return self.ftp.transfer(place.url, sink, task, credentials=credentials, size=size)
                return transfer(self.transport, place.url, sink, task, credentials=credentials, size=size)

        received = self.retry.run(attempt, task, position=lambda: sink.offset)
        return replace(received, via=place.via)

    def size(self, urls: Sequence[str]) -> int | None:
        """Return the size that a place announces, or None when no place does."""
        silent = Unwatched()

        def ask(place: MirroredUrl) -> int | None:
            if _is_local(place.url):
                return local_file.file_size(place.url)
            return self.retry.run(lambda: self._announced(place), silent)

        return self._first(urls, ask, silent)

    def read(
        self,
        url: str,
        *,
        max_bytes: int,
        accept: Callable[[Document], None] | None = None,
        cached: CachedDocument | None = None,
    ) -> Document:
        """Return a small document from the first place that has it."""
        silent = Unwatched()

        def fetch(place: MirroredUrl) -> Document:
            if _is_local(place.url):
                document = local_file.read_file(place.url, max_bytes=max_bytes)
            else:
                document = self.retry.run(lambda: self._document(place, max_bytes, cached), silent)
            if accept is not None:
                accept(document)
            return document

        return self._first([url], fetch, silent)

    def _first(self, urls: Sequence[str], ask: Callable[[MirroredUrl], T], task: Task) -> T:
        """Return the first place's result; raise the last one's error, with the number of others, when none has any."""
        places = self._places(urls)
        for tried, place in enumerate(places):
            try:
                result = ask(place)
                if result is not None or tried + 1 == len(places):
                    return result
            except (SourceError, IntegrityError) as error:
                if tried + 1 == len(places):
                    raise error.with_context(remedy=_failed_before(tried)) from error
                task.note(tr("{error}; trying {url}", error=error, url=redact(places[tried + 1].url)))
        raise ValueError(tr("a download needs at least one url"))

    def _places(self, urls: Sequence[str]) -> list[MirroredUrl]:
        places: list[MirroredUrl] = []
        refused = None
        for url in urls:
            try:
                places += self.mirrors.urls(url)
            except SourceError as error:
                refused = error
        if refused and not places:
            raise refused
        return places

    def _document(self, place: MirroredUrl, max_bytes: int, cached: CachedDocument | None) -> Document:
        if _is_ftp(place.url):
            with self._credentials(place) as credentials:
                found = self.ftp.read(place.url, max_bytes=max_bytes, credentials=credentials)
            return replace(found, via=place.via)
        conditional = conditions(cached.validators, place.url) if cached else {}
        with (
            self._credentials(place) as credentials,
            self.transport.request("GET", place.url, headers=conditional, credentials=credentials) as response,
        ):
            if cached is None or not conditional or response.status != NOT_MODIFIED:
                return _whole(response, place, max_bytes)
            if confirms(response.headers, cached.validators):
                modified_s = http_date_s(response.headers.get("Last-Modified", cached.validators.last_modified))
                return Document(cached.data, modified_s, place.via, cached.validators, reused=True)
        return self._document(place, max_bytes, None)

    def _announced(self, place: MirroredUrl) -> int | None:
        if _is_ftp(place.url):
            with self._credentials(place) as credentials:
                return self.ftp.size(place.url, credentials=credentials)
        with (
            self._credentials(place) as credentials,
            self.transport.request("HEAD", place.url, credentials=credentials) as response,
        ):
            if response.status in _NO_HEAD:
                return None
            if response.status != _OK:
                raise error_for_status(response)
            coded = codings(response.headers, place.url, response.url)
            return None if coded else content_length(response.headers)

    @contextmanager
    def _credentials(self, place: MirroredUrl) -> Iterator[Credentials | None]:
        """Give the block the credentials of a place; that they cannot be read matters only where some are wanted."""
        unreadable: SourceError | None = None
        found: Credentials | None = None
        try:
            found = self.credentials(urlsplit(place.url).hostname or "")
        except SourceError as error:
            unreadable = error
        try:
            yield found
        except SourceError as error:
            if unreadable is None or error.id != ErrorId.SOURCE_UNAUTHORIZED:
                raise
            raise unreadable.with_context(tr("and {error}", error=error)) from error


@dataclass(frozen=True, slots=True)
class _PlacedSink:
    """A sink that records which place its validator is from.

    The same ETag or date may identify other bytes elsewhere (RFC 9110, 8.8.1). A pinned digest shows that (`joins`);
    without one, parts of two different files could be joined unnoticed.
    """

    sink: Sink
    place: str
    joins: bool

    @property
    def offset(self) -> int:
        return self.sink.offset

    @property
    def validator(self) -> str:
        validator, _, place = self.sink.validator.rpartition(" ")
        return validator if self.joins or place == self.place else ""

    def restart(self, validator: str) -> None:
        self.sink.restart(f"{validator} {self.place}" if validator else "")

    def write(self, data: bytes | memoryview) -> None:
        self.sink.write(data)

    def digest(self, algorithm: str) -> Digest:
        return self.sink.digest(algorithm)


def _whole(response: Response, place: MirroredUrl, max_bytes: int) -> Document:
    if response.status != _OK:
        raise error_for_status(response)
    data = response.read(max_bytes)
    modified_s = http_date_s(response.headers.get("Last-Modified", ""))
    return Document(data, modified_s, place.via, validators_of(place.url, response.headers))


def _accept_all(received: Received) -> None:
    del received


def _is_local(url: str) -> bool:
    return url.startswith("file:")


def _is_ftp(url: str) -> bool:
    return url.lower().startswith("ftp:")


def _failed_before(count: int) -> str:
    """Return the sentence that says how many other places failed before the one that an error is about."""
    if not count:
        return ""
    places = tr("1 other place") if count == 1 else tr("{count} other places", count=count)
    return tr("Before it, {places} failed.", places=places)
