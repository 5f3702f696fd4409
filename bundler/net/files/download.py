"""Plain files over http, https, ftp and file: which place to ask next when one fails.

Implements `interface.Downloader`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from bundler.errors import IntegrityError, SourceError
from bundler.model.progress import Unwatched
from bundler.net.files import local_file
from bundler.net.files.ftp import FtpClient
from bundler.net.files.netrc_file import netrc_credentials
from bundler.net.http.attempt import accepted, content_length, transfer
from bundler.net.http.conditional import NOT_MODIFIED, conditions, confirms, place_of, validators_of
from bundler.net.http.status import error_for_status, http_date_s
from bundler.net.interface import Document, Received
from bundler.net.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.model.digest import Digest
    from bundler.model.progress import Task
    from bundler.model.sink import Sink
    from bundler.net.interface import Answer, Credentials, Held, Transport
    from bundler.net.mirrors import Candidate, Mirrors
    from bundler.net.retry import Retry

T = TypeVar("T")
_OK = 200
# Servers that do not offer HEAD say so in these ways (GitHub's and S3's signed links answer 403).
_NO_HEAD = frozenset({400, 403, 405, 501})


@dataclass(frozen=True, slots=True)
class HttpDownloader:
    """See `interface.Downloader`; `credentials` looks up a host that is really asked, mirrors by their own name."""

    transport: Transport
    mirrors: Mirrors
    retry: Retry
    credentials: Callable[[str], Credentials | None] = netrc_credentials
    ftp: FtpClient = field(default_factory=FtpClient)

    def download(
        self,
        urls: Sequence[str],
        sink: Sink,
        task: Task,
        *,
        size: int | None = None,
        accept: Callable[[Received], None] | None = None,
    ) -> Received:
        """Bring a file into the sink from the first place that gives it."""

        def bring(place: Candidate) -> Received:
            placed = _PlacedSink(sink, place_of(place.url), joins=size is not None)
            return accepted(lambda: self._brought(place, placed, task, size), accept or _let_pass, sink, task)

        task.advance(sink.offset)
        return self._first(urls, bring, task)

    def _brought(self, place: Candidate, sink: Sink, task: Task, size: int | None) -> Received:
        if _is_local(place.url):
            return local_file.copy_file(place.url, sink, task, size=size)

        def attempt() -> Received:
            credentials = self._credentials(place)
            if _is_ftp(place.url):
                return self.ftp.transfer(place.url, sink, task, credentials=credentials, size=size)
            return transfer(self.transport, place.url, sink, task, credentials=credentials, size=size)

        received = self.retry.run(attempt, task, position=lambda: sink.offset)
        return replace(received, via=place.via)

    def size(self, urls: Sequence[str]) -> int | None:
        """Return the size that a place announces, or None when none of them tells."""
        silent = Unwatched()

        def ask(place: Candidate) -> int | None:
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
        held: Held | None = None,
    ) -> Document:
        """Return a small document from the first place that gives it."""
        silent = Unwatched()

        def fetch(place: Candidate) -> Document:
            if _is_local(place.url):
                document = local_file.read_file(place.url, max_bytes=max_bytes)
            else:
                document = self.retry.run(lambda: self._document(place, max_bytes, held), silent)
            if accept is not None:
                accept(document)
            return document

        return self._first([url], fetch, silent)

    def _first(self, urls: Sequence[str], ask: Callable[[Candidate], T], task: Task) -> T:
        """Return what the first place gives; the last one's error, with the number of others, when none does."""
        places = self._places(urls)
        for tried, place in enumerate(places):
            try:
                given = ask(place)
                if given is not None or tried + 1 == len(places):
                    return given
            except (SourceError, IntegrityError) as error:
                if tried + 1 == len(places):
                    raise error.with_context(remedy=_failed_before(tried)) from error
                task.note(f"{error}; trying {redact(places[tried + 1].url)}")
        raise ValueError("a download needs at least one url")

    def _places(self, urls: Sequence[str]) -> list[Candidate]:
        places: list[Candidate] = []
        refused = None
        for url in urls:
            try:
                places += self.mirrors.urls(url)
            except SourceError as error:
                refused = error
        if refused and not places:
            raise refused
        return places

    def _document(self, place: Candidate, max_bytes: int, held: Held | None) -> Document:
        if _is_ftp(place.url):
            found = self.ftp.read(place.url, max_bytes=max_bytes, credentials=self._credentials(place))
            return replace(found, via=place.via)
        asked = conditions(held.validators, place.url) if held else {}
        with self.transport.request("GET", place.url, headers=asked, credentials=self._credentials(place)) as answer:
            if held is None or not asked or answer.status != NOT_MODIFIED:
                return _whole(answer, place, max_bytes)
            if confirms(answer.headers, held.validators):
                modified_s = http_date_s(answer.headers.get("Last-Modified", held.validators.last_modified))
                return Document(held.data, modified_s, place.via, held.validators, reused=True)
        return self._document(place, max_bytes, None)

    def _announced(self, place: Candidate) -> int | None:
        if _is_ftp(place.url):
            return self.ftp.size(place.url, credentials=self._credentials(place))
        with self.transport.request("HEAD", place.url, credentials=self._credentials(place)) as answer:
            if answer.status in _NO_HEAD:
                return None
            if answer.status != _OK:
                raise error_for_status(answer)
            return content_length(answer.headers)

    def _credentials(self, place: Candidate) -> Credentials | None:
        return self.credentials(urlsplit(place.url).hostname or "")


@dataclass(frozen=True, slots=True)
class _PlacedSink:
    """A sink that remembers which place its validator is from.

    The same ETag or date may stand for other bytes elsewhere (RFC 9110, 8.8.1). With a pinned digest that is found out
    (`joins`); without one nobody would notice that two files were put together.
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


def _whole(answer: Answer, place: Candidate, max_bytes: int) -> Document:
    if answer.status != _OK:
        raise error_for_status(answer)
    data = answer.read(max_bytes)
    modified_s = http_date_s(answer.headers.get("Last-Modified", ""))
    return Document(data, modified_s, place.via, validators_of(place.url, answer.headers))


def _let_pass(received: Received) -> None:
    del received


def _is_local(url: str) -> bool:
    return url.startswith("file:")


def _is_ftp(url: str) -> bool:
    return url.lower().startswith("ftp:")


def _failed_before(count: int) -> str:
    """Return the sentence that says how many other places failed before the one that an error is about."""
    if not count:
        return ""
    places = "1 other place" if count == 1 else f"{count} other places"
    return f"Before it, {places} failed."
