"""One attempt to bring the content of one URL into a sink, going on where an earlier attempt stopped.

Owns what Range, If-Range and the answers to them mean (RFC 9110, 13.1.5, 14 and 15.3.7); refuses to try twice (`retry`)
and to choose among sources (`download`, `registry`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from bundler.errors import ErrorId, IntegrityError, SourceError
from bundler.net.http.status import error_for_status, http_date_s
from bundler.net.interface import Received
from bundler.net.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bundler.model.progress import Task
    from bundler.model.sink import Sink
    from bundler.net.interface import Answer, Credentials, Transport

T = TypeVar("T")

# RFC 9110, 8.8.2.2: a date identifies bytes only when the file was already this much older than the answer, else it may
# have changed again within the same second, or within the difference of two clocks.
STRONG_DATE_AGE_S = 60
# more digits than the largest file has are no length
_NUMBER = r"[0-9]{1,18}"
_CONTENT_RANGE = re.compile(rf"bytes (?:({_NUMBER})-({_NUMBER})|\*)/({_NUMBER}|\*)")
_OK, _PARTIAL, _UNSATISFIABLE = 200, 206, 416


@dataclass(frozen=True, slots=True)
class ContentRange:
    """A Content-Range field (RFC 9110, 14.4); `first` and `last` are None in an answer 416, `complete` when unknown."""

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
    """Return what identifies exactly these bytes in a later If-Range: a strong ETag, a strong date, or ""."""
    tag = headers.get("ETag", "").strip()
    if tag:
        return tag if len(tag) >= len('""') and tag[0] == tag[-1] == '"' else ""
    modified = headers.get("Last-Modified", "").strip()
    modified_s, answered_s = http_date_s(modified), http_date_s(headers.get("Date", ""))
    if modified_s is None or answered_s is None or answered_s - modified_s < STRONG_DATE_AGE_S:
        return ""
    return modified


def range_headers(offset: int, validator: str, *, immutable: bool) -> dict[str, str]:
    """Return the fields that ask for the rest, or none when the whole has to be asked for."""
    if offset == 0 or not (validator or immutable):
        return {}
    asked = {"Range": f"bytes={offset}-"}
    if not immutable:
        asked["If-Range"] = validator
    return asked


def continues(headers: Mapping[str, str], offset: int, validator: str, *, immutable: bool) -> bool:
    """Tell whether a 206 carries exactly what comes after the first `offset` bytes of the same content.

    Servers exist that answer 206 whatever If-Range says, so the answer's own validator is compared as well. A date may
    be left out of a 206, an ETag may not (RFC 9110, 15.3.7).
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


def accepted(bring: Callable[[], T], accept: Callable[[T], None], sink: Sink, task: Task) -> T:
    """Return what `bring` brought into the sink, once `accept` has let it pass.

    Bytes that `accept` refuses with SourceError or IntegrityError are dropped. Where the sink held some before, those
    may be the wrong ones: all are then brought anew, once, before the error is raised.
    """
    resumed = sink.offset
    while True:
        brought = bring()
        try:
            accept(brought)
        except (SourceError, IntegrityError) as error:
            _restart(sink, task, "")
            if not resumed:
                raise
            resumed = 0
            task.note(f"{error}; it was put together from two attempts and is fetched whole again")
        else:
            return brought


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
    """Bring the content of `url` into the sink in one attempt, asking only for what is missing where that is safe.

    Arguments:
        task: is told of bytes that arrive, and (negative) of bytes that have to be dropped; the caller has told it of
            those that the sink held before its first attempt.
        headers: further request fields, such as Accept or a bearer token.
        size: the pinned size in bytes, if there is one.
        immutable: the URL names its content by digest, so that whatever the sink holds may be continued.

    Returns what was received, its `via` empty. Raises SourceError (by status, or the transport's), IntegrityError (the
    upstream announces or sends another size than the pinned one), StorageError (from the sink).
    """
    request = _Request(transport, url, dict(headers or {}), credentials, size, immutable)
    if size is not None and sink.offset > size:
        _restart(sink, task, "")
    if immutable and size is not None and sink.offset == size:
        return Received(size, None, "")
    received = request.rest(sink, task) if sink.offset else None
    return received or request.whole(sink, task)


@dataclass(frozen=True, slots=True)
class _Request:
    """What both the ranged and the plain request of one attempt share."""

    transport: Transport
    url: str
    headers: dict[str, str]
    credentials: Credentials | None
    size: int | None
    immutable: bool

    def rest(self, sink: Sink, task: Task) -> Received | None:
        """Ask for what is missing; None when the sink was emptied and the whole has to be asked for."""
        asked = range_headers(sink.offset, sink.validator, immutable=self.immutable)
        if not asked:
            _restart(sink, task, "")
            return None
        with self.transport.request(
            "GET", self.url, headers=self.headers | asked, credentials=self.credentials
        ) as answer:
            if answer.status == _OK:
                return self._whole_body(answer, sink, task)
            if answer.status == _PARTIAL and continues(
                answer.headers, sink.offset, sink.validator, immutable=self.immutable
            ):
                return self._appended_body(answer, sink, task)
            if answer.status == _UNSATISFIABLE:
                sent = ContentRange.parse(answer.headers.get("Content-Range", ""))
                complete = sent is not None and sent.complete == sink.offset
            elif answer.status == _PARTIAL:
                complete = False
            else:
                raise error_for_status(answer)
        if complete and (received := self._confirmed(sink)):
            return received
        _restart(sink, task, "")
        return None

    def whole(self, sink: Sink, task: Task) -> Received:
        """Ask for everything."""
        with self.transport.request("GET", self.url, headers=self.headers, credentials=self.credentials) as answer:
            if answer.status != _OK:
                raise error_for_status(answer)
            return self._whole_body(answer, sink, task)

    def _whole_body(self, answer: Answer, sink: Sink, task: Task) -> Received:
        announced = content_length(answer.headers)
        self._check_size(announced)
        _restart(sink, task, strong_validator(answer.headers))
        return self._body(answer, sink, task, announced)

    def _appended_body(self, answer: Answer, sink: Sink, task: Task) -> Received:
        sent = ContentRange.parse(answer.headers.get("Content-Range", ""))
        announced = sent.complete if sent else None
        self._check_size(announced)
        return self._body(answer, sink, task, announced)

    def _body(self, answer: Answer, sink: Sink, task: Task, announced: int | None) -> Received:
        for chunk in answer.chunks():
            if self.size is not None and sink.offset + len(chunk) > self.size:
                _restart(sink, task, "")
                raise other_size(self.url, self.size, f"more than {self.size} bytes")
            sink.write(chunk)
            task.advance(len(chunk))
        if announced is not None and sink.offset != announced:
            raise SourceError(
                ErrorId.SOURCE_CUT,
                f"{announced} bytes were announced, {sink.offset} have come",
                where=answer.url,
                remedy="Try again; the download goes on where it stopped.",
                retryable=True,
            )
        self._check_size(sink.offset)
        modified = answer.headers.get("Last-Modified", "" if sink.validator.startswith('"') else sink.validator)
        modified_s = http_date_s(modified)
        if modified_s is None and answer.status == _PARTIAL:
            modified_s = self._modified_s()
        return Received(sink.offset, modified_s, "")

    def _confirmed(self, sink: Sink) -> Received | None:
        """Return what lies in the sink if it is the whole content as the server has it now."""
        if self.immutable:
            self._check_size(sink.offset)
            return Received(sink.offset, None, "")
        with self.transport.request("HEAD", self.url, headers=self.headers, credentials=self.credentials) as answer:
            held = sink.validator
            same = held in (answer.headers.get("ETag", "").strip(), answer.headers.get("Last-Modified", "").strip())
            if answer.status != _OK or not same or content_length(answer.headers) not in (None, sink.offset):
                return None
            self._check_size(sink.offset)
            return Received(sink.offset, http_date_s(answer.headers.get("Last-Modified", "")), "")

    def _modified_s(self) -> int | None:
        """Ask for the date that a 206 left out, so that a resumed download is locked like any other."""
        if self.immutable:
            return None
        with self.transport.request("HEAD", self.url, headers=self.headers, credentials=self.credentials) as answer:
            return http_date_s(answer.headers.get("Last-Modified", "")) if answer.status == _OK else None

    def _check_size(self, found: int | None) -> None:
        if self.size is not None and found is not None and found != self.size:
            raise other_size(self.url, self.size, f"{found} bytes")


def other_size(url: str, want: int, got: str) -> IntegrityError:
    """Return the error for an upstream that has another size, in bytes, than the pinned one."""
    return IntegrityError(
        ErrorId.UPSTREAM_CHANGED,
        "the upstream has another size than the one that was locked",
        where=redact(url),
        remedy="Find out why it changed; if that is right, move the entry with `bundler lock --update`.",
        want=f"{want} bytes",
        got=got,
    )


def _restart(sink: Sink, task: Task, validator: str) -> None:
    if sink.offset:
        task.advance(-sink.offset)
    sink.restart(validator)


def content_length(headers: Mapping[str, str]) -> int | None:
    """Return Content-Length where it is the length of the body (a transfer coding overrules it: RFC 9112, 6.3)."""
    text = headers.get("Content-Length", "")
    return int(text) if re.fullmatch(_NUMBER, text) and "Transfer-Encoding" not in headers else None
