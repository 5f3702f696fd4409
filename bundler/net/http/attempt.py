"""One attempt to download the content of one URL into a sink, resumed where an earlier attempt stopped.

Owns what Range, If-Range and the responses to them mean (RFC 9110, 13.1.5, 14 and 15.3.7); refuses to try twice
(`retry`) and to choose among sources (`files.download`, `registry.pull`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.net.http.content_coding import codings, undone
from bundler.net.http.status import error_for_status, http_date_s
from bundler.net.http.web_page import is_unexpected_page, media_type, page_error
from bundler.net.interface import Received
from bundler.net.redact import redact
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bundler.model.progress import Task
    from bundler.model.sink import Sink
    from bundler.net.interface import Credentials, Response, Transport

T = TypeVar("T")

# RFC 9110, 8.8.2.2: a date identifies bytes only when the file was already this much older than the response, else it
# may have changed again within the same second, or within the difference of two clocks.
STRONG_DATE_AGE_S = 60
# a number with more digits is not a length: no file is that large
_NUMBER = r"[0-9]{1,18}"
_CONTENT_RANGE = re.compile(rf"bytes (?:({_NUMBER})-({_NUMBER})|\*)/({_NUMBER}|\*)")
_OK, _PARTIAL, _UNSATISFIABLE = 200, 206, 416


@dataclass(frozen=True, slots=True)
class ContentRange:
    """A Content-Range field (RFC 9110, 14.4); `first` and `last` are None in a response 416, `complete` if unknown."""

    first: int | None
    last: int | None
    complete: int | None

    @classmethod
    def parse(cls, text: str) -> ContentRange | None:
        """Parse the field; None when it is absent or malformed."""
        match = _CONTENT_RANGE.fullmatch(text.strip())
        if match is None:
            return None
        first, last, complete = (int(part) if part and part.isdigit() else None for part in match.groups())
        return cls(first, last, complete)


def strong_validator(headers: Mapping[str, str]) -> str:
    """Return the validator of exactly these bytes for a later If-Range: a strong ETag, a strong date, or ""."""
    tag = headers.get("ETag", "").strip()
    if tag:
        return tag if len(tag) >= len('""') and tag[0] == tag[-1] == '"' else ""
    modified = headers.get("Last-Modified", "").strip()
    modified_s, answered_s = http_date_s(modified), http_date_s(headers.get("Date", ""))
    if modified_s is None or answered_s is None or answered_s - modified_s < STRONG_DATE_AGE_S:
        return ""
    return modified


def range_headers(offset: int, validator: str, *, immutable: bool) -> dict[str, str]:
    """Return the fields that request the rest, or none when the whole has to be requested."""
    if offset == 0 or not (validator or immutable):
        return {}
    fields = {"Range": f"bytes={offset}-"}
    if not immutable:
        fields["If-Range"] = validator
    return fields


def continues(headers: Mapping[str, str], offset: int, validator: str, *, immutable: bool) -> bool:
    """Tell whether a 206 has exactly the bytes after the first `offset` ones of the same content.

    Some servers answer 206 whatever If-Range says, so the response's own validator is compared as well. A 206 may lack
    the date, but not the ETag (RFC 9110, 15.3.7).
    """
    sent = ContentRange.parse(headers.get("Content-Range", ""))
    if sent is None or sent.first != offset or sent.last is None:
        return False
    if sent.complete is not None and sent.last != sent.complete - 1:
        return False
    if immutable:
        return True
    if validator.startswith('"'):
        return headers.get("ETag", "").strip() == validator
    return headers.get("Last-Modified", validator).strip() == validator


def accepted(fetch: Callable[[], T], accept: Callable[[T], None], sink: Sink, task: Task) -> T:
    """Return the result of `fetch`, which fills the sink, once `accept` has accepted it.

    Bytes that `accept` refuses with SourceError or IntegrityError are dropped. If the sink held some before, those may
    be the wrong ones: then everything is fetched again, once, before the error is raised.
    """
    resumed = sink.offset
    while True:
        fetched = fetch()
        try:
            accept(fetched)
        except (SourceError, IntegrityError) as error:
            _restart(sink, task, "")
            if not resumed:
                raise
            resumed = 0
            task.note(tr("{error}; it was put together from two attempts and is fetched whole again", error=error))
        else:
            return fetched


def transfer(
    transport: Transport,
    url: str,
    sink: Sink,
    task: Task,
    *,
    headers: Mapping[str, str] | None = None,
    credentials: Credentials | None = None,
    size: int | None = None,
    immutable: bool = False,
) -> Received:
    """Download the content of `url` into the sink in one attempt, only the missing part where that is safe.

    Arguments:
        task: advanced by the bytes that arrive, and (negative) by those that have to be dropped; the caller has
            advanced it by those that the sink held before its first attempt.
        headers: further request fields, such as Accept or a bearer token.
        size: the pinned size in bytes, or None.
        immutable: the URL names its content by digest, so that the bytes in the sink may always be continued.

    Returns what was received, its `via` empty. Raises SourceError (by status, or the transport's), IntegrityError (the
    upstream announces or sends another size than the pinned one), StorageError (from the sink).
    """
    attempt = _Attempt(transport, url, dict(headers or {}), credentials, size, immutable)
    if size is not None and sink.offset > size:
        _restart(sink, task, "")
    if immutable and size is not None and sink.offset == size:
        return Received(size, None, "")
    received = attempt.rest(sink, task) if sink.offset else None
    return received or attempt.whole(sink, task)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What the ranged and the plain request of one attempt share."""

    transport: Transport
    url: str
    headers: dict[str, str]
    credentials: Credentials | None
    size: int | None
    immutable: bool

    def rest(self, sink: Sink, task: Task) -> Received | None:
        """Request what is missing; None when the sink was emptied and the whole has to be requested."""
        ranged = range_headers(sink.offset, sink.validator, immutable=self.immutable)
        if not ranged:
            _restart(sink, task, "")
            return None
        with self.transport.request(
            "GET", self.url, headers=self.headers | ranged, credentials=self.credentials
        ) as response:
            if response.status == _OK:
                return self._whole_body(response, sink, task)
            if (
                response.status == _PARTIAL
                and continues(response.headers, sink.offset, sink.validator, immutable=self.immutable)
                and not self._codings(response, _complete(response))
            ):
                return self._appended_body(response, sink, task)
            if response.status == _UNSATISFIABLE:
                sent = ContentRange.parse(response.headers.get("Content-Range", ""))
                complete = sent is not None and sent.complete == sink.offset
            elif response.status == _PARTIAL:
                complete = False
            else:
                raise error_for_status(response)
        if complete and (received := self._confirmed(sink)):
            return received
        _restart(sink, task, "")
        return None

    def whole(self, sink: Sink, task: Task) -> Received:
        """Request everything."""
        with self.transport.request("GET", self.url, headers=self.headers, credentials=self.credentials) as response:
            if response.status != _OK:
                raise error_for_status(response)
            return self._whole_body(response, sink, task)

    def _whole_body(self, response: Response, sink: Sink, task: Task) -> Received:
        announced = content_length(response.headers)
        if applied := self._codings(response, announced):
            # lengths and validators are those of the coded bytes, and nothing of them can be continued
            _restart(sink, task, "")
            return self._body(response, undone(response.chunks(), applied, response.url), sink, task, None)
        self._check_size(announced, response)
        _restart(sink, task, strong_validator(response.headers))
        return self._body(response, response.chunks(), sink, task, announced)

    def _appended_body(self, response: Response, sink: Sink, task: Task) -> Received:
        announced = _complete(response)
        self._check_size(announced, response)
        return self._body(response, response.chunks(), sink, task, announced)

    def _codings(self, response: Response, announced: int | None) -> tuple[str, ...]:
        """Return what has to be undone: nothing where the bytes on the wire are as many as the pinned ones."""
        if self.size is not None and announced == self.size:
            return ()
        return codings(response.headers, self.url, response.url)

    def _body(
        self, response: Response, chunks: Iterator[bytes], sink: Sink, task: Task, announced: int | None
    ) -> Received:
        for chunk in chunks:
            if self.size is not None and sink.offset + len(chunk) > self.size:
                _restart(sink, task, "")
                raise other_size(self.url, self.size, tr("more than {size} bytes", size=self.size))
            sink.write(chunk)
            task.advance(len(chunk))
        if announced is not None and sink.offset != announced:
            raise SourceError(
                ErrorId.SOURCE_CUT,
                tr("{announced} bytes were announced, {offset} have come", announced=announced, offset=sink.offset),
                where=response.url,
                remedy=tr("Try again; the download goes on where it stopped."),
                retryable=True,
            )
        self._check_size(sink.offset, response)
        modified = response.headers.get("Last-Modified", "" if sink.validator.startswith('"') else sink.validator)
        modified_s = http_date_s(modified)
        if modified_s is None and response.status == _PARTIAL:
            modified_s = self._modified_s()
        return Received(sink.offset, modified_s, "", media_type(response.headers.get("Content-Type", "")))

    def _confirmed(self, sink: Sink) -> Received | None:
        """Return what the sink holds if that is the whole content as the server has it now."""
        if self.immutable:
            self._check_size(sink.offset)
            return Received(sink.offset, None, "")
        with self.transport.request("HEAD", self.url, headers=self.headers, credentials=self.credentials) as response:
            current = (response.headers.get("ETag", "").strip(), response.headers.get("Last-Modified", "").strip())
            same = sink.validator in current
            if response.status != _OK or not same or content_length(response.headers) not in (None, sink.offset):
                return None
            self._check_size(sink.offset)
            fields = response.headers
            modified_s = http_date_s(fields.get("Last-Modified", ""))
            return Received(sink.offset, modified_s, "", media_type(fields.get("Content-Type", "")))

    def _modified_s(self) -> int | None:
        """Request the date that a 206 left out, so that a resumed download is locked like any other."""
        if self.immutable:
            return None
        with self.transport.request("HEAD", self.url, headers=self.headers, credentials=self.credentials) as response:
            return http_date_s(response.headers.get("Last-Modified", "")) if response.status == _OK else None

    def _check_size(self, found: int | None, response: Response | None = None) -> None:
        if self.size is None or found in (None, self.size):
            return
        answered = media_type(response.headers.get("Content-Type", "")) if response else ""
        if is_unexpected_page(answered, self.url):
            raise page_error(redact(self.url))
        raise other_size(self.url, self.size, tr("{found} bytes", found=found))


def other_size(url: str, want: int, got: str) -> IntegrityError:
    """Return the error for an upstream that has another size, in bytes, than the pinned one; `got` as text."""
    return IntegrityError(
        ErrorId.UPSTREAM_CHANGED,
        tr("the upstream has another size than the one that was locked"),
        where=redact(url),
        remedy=tr("Find out why it changed; if that is right, move the entry with `bundler lock --update`."),
        want=tr("{want} bytes", want=want),
        got=got,
    )


def _complete(response: Response) -> int | None:
    """Return the length of the whole content of which a 206 has a part."""
    sent = ContentRange.parse(response.headers.get("Content-Range", ""))
    return sent.complete if sent else None


def _restart(sink: Sink, task: Task, validator: str) -> None:
    if sink.offset:
        task.advance(-sink.offset)
    sink.restart(validator)


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return Content-Length where it is the length of the body (a transfer coding overrides it: RFC 9112, 6.3)."""
    text = headers.get("Content-Length", "")
    return int(text) if re.fullmatch(_NUMBER, text) and "Transfer-Encoding" not in headers else None
