"""One blob into a repository: at once, or the rest of what an earlier attempt brought. Distribution spec 1.1, "Push".

Owns the session of an upload and what its answers mean; refuses to try again by itself (`retry`). A registry that has
kept what came before a cut tells how much; one that has thrown it away (CNCF distribution 2.8 does) gets it anew.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from bundler.errors import ErrorId, SourceError
from bundler.net.http.status import MAY_NOT, error_for_status
from bundler.net.registry.errors import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bundler.model.digest import Blob
    from bundler.model.progress import Task
    from bundler.model.sink import Pieces
    from bundler.net.interface import Answer, Body, Transport
    from bundler.net.registry.endpoint import Repository

_CREATED, _ACCEPTED, _NO_CONTENT = 201, 202, 204
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,18})")
# what a registry answers of a session that it does not know any more, or knows other bytes of (spec 1.1, "Error Codes")
_LOST = frozenset({404, 416})
_SPOILT = frozenset({"DIGEST_INVALID", "SIZE_INVALID", "BLOB_UPLOAD_INVALID"})
_CONTENT = {"Content-Type": "application/octet-stream"}


class _Rest:
    """The end of a body, counted as it goes out."""

    def __init__(
        self,
        pieces: Pieces,
        offset: int,
        size: int,
        sent: Callable[[int], None],
    ) -> None:
        self._pieces = pieces
        self._offset = offset
        self._size = size
        self._sent = sent

    def __len__(self) -> int:
        return self._size - self._offset

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for piece in self._pieces(self._offset):
            yield piece
            self._sent(len(piece))


class Upload:
    """The way of one blob into one repository, over several attempts.

    Arguments:
        transport: authenticates for the repository.
        pieces: yields the blob's bytes from an offset on.
        task: told of what goes out, and of what has to go out again.
        begun: where the registry wants it, if it has said so already.
    """

    def __init__(
        self,
        transport: Transport,
        repository: Repository,
        blob: Blob,
        pieces: Pieces,
        task: Task,
        *,
        begun: str = "",
    ) -> None:
        self._transport = transport
        self._repository = repository
        self._blob = blob
        self._pieces = pieces
        self._task = task
        self._begun = begun
        self._session = ""
        self._sent_bytes = 0
        self._kept_bytes = 0

    @property
    def is_sent(self) -> bool:
        """Tell whether the last attempt sent all there is, so that the blob may be there whatever came of it."""
        return bool(self._session) and self._sent_bytes == self._blob.size

    @property
    def kept_bytes(self) -> int:
        """How much the registry was known to have when the last attempt began."""
        return self._kept_bytes

    def attempt(self) -> None:
        """Bring the blob, or what is missing of it; SourceError, after which another attempt goes on."""
        offset = self._kept_bytes = self._held() if self._session else 0
        self._sent(offset - self._sent_bytes)
        if not offset:
            self._begun, self._session = "", self._begun or self._begin()
        try:
            self._bring(offset)
        except SourceError as error:
            if error.status in _LOST or (offset and error.code in _SPOILT):
                # what the registry had of it is gone or wrong: begun anew it may well come
                self._session = ""
                raise replace(error, retryable=True) from error
            raise

    def _bring(self, offset: int) -> None:
        if not offset:
            self._finish(self._body(0))
            return
        self._task.note(f"the registry has the first {offset} bytes; sending the rest")
        if offset < self._blob.size:
            last = self._blob.size - 1
            headers = {**_CONTENT, "Content-Range": f"{offset}-{last}"}
            with self._transport.request("PATCH", self._session, headers=headers, body=self._body(offset)) as answer:
                self._session = self._location(answer, _ACCEPTED)
        self._finish(b"")

    def _body(self, offset: int) -> Body | bytes:
        return _Rest(self._pieces, offset, self._blob.size, self._sent) if self._blob.size else b""

    def _sent(self, count: int) -> None:
        self._sent_bytes += count
        self._task.advance(count)

    def _begin(self) -> str:
        url = f"{self._repository.url}/blobs/uploads/"
        with self._transport.request("POST", url, body=b"") as answer:
            return self._location(answer, _ACCEPTED)

    def _held(self) -> int:
        """Return how many bytes the registry has kept of the session, 0 when it has to be begun anew."""
        try:
            with self._transport.request("GET", self._session) as answer:
                found = _RANGE.fullmatch(answer.headers.get("Range", ""))
                kept = int(found[1]) + 1 if found and answer.status == _NO_CONTENT else 0
                if location := answer.headers.get("Location", ""):
                    self._session = resolved(self._repository, self._session, location)
        except SourceError as error:
            if error.status is None or error.retryable or error.status in MAY_NOT:
                raise
            return 0
        # "0-0" is what registries say of nothing, and of one byte
        return kept if 1 < kept <= self._blob.size else 0

    def _finish(self, body: Body | bytes) -> None:
        parts = urlsplit(self._session)
        # what is there already means something to the registry alone, and may be signed
        query = "&".join(filter(None, (parts.query, urlencode({"digest": str(self._blob.digest)}))))
        url = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
        with self._transport.request("PUT", url, headers=_CONTENT, body=body) as answer:
            if answer.status != _CREATED:
                raise error_for_status(answer)

    def _location(self, answer: Answer, want: int) -> str:
        location = answer.headers.get("Location", "")
        if answer.status != want or not location:
            # the head of an answer that is cut looks just like a shorter one
            what, cut = f"answered {answer.status} and not where to send a blob to", answer.status == want
            raise invalid(self._repository, what, retryable=cut, status=answer.status)
        return resolved(self._repository, f"{self._repository.url}/blobs/uploads/", location)


def resolved(repository: Repository, asked: str, location: str) -> str:
    """Return the URL that a Location means; SourceError when it would take the credentials to another host.

    A registry behind a proxy that ends TLS may call itself http: the scheme in use is kept on the same host.
    """
    own = urlsplit(repository.endpoint.url)
    try:
        parts = urlsplit(urljoin(asked, location))
    except ValueError as error:
        raise invalid(repository, "wants its blobs sent to something that is no URL") from error
    if parts.hostname != own.hostname:
        raise SourceError(
            ErrorId.SOURCE_REFUSED,
            f"{repository.endpoint.host} wants its blobs sent to {parts.netloc}, another host",
            where=repository.where,
            remedy="Push to the registry by the name that it knows itself by, or correct that name in its settings.",
        )
    return urlunsplit((own.scheme, own.netloc, parts.path, parts.query, ""))
