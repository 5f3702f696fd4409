"""One blob into a repository: whole, or the rest that an earlier attempt did not send. Distribution spec 1.1, "Push".

Owns the session of an upload and what its responses mean; refuses to retry by itself (`retry`). A registry that has
kept the bytes before a cut says how many; to one that has dropped them (CNCF distribution 2.8 does) all are sent again.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

from bundler.errors import ErrorId, SourceError
from bundler.net.http.status import MAY_NOT, error_for_status, is_success
from bundler.net.registry.errors import invalid
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bundler.model.digest import Blob
    from bundler.model.progress import Task
    from bundler.model.sink import Pieces
    from bundler.net.interface import Body, Response, Transport
    from bundler.net.registry.endpoint import RemoteRepository

_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,18})")
# for a session that the registry does not know any more, or of which it has other bytes (spec 1.1, "Error Codes")
_LOST = frozenset({404, 416})
_SPOILT = frozenset({"DIGEST_INVALID", "SIZE_INVALID", "BLOB_UPLOAD_INVALID"})
_CONTENT = {"Content-Type": "application/octet-stream"}


class _Rest:
    """The end of a body, counted while it is sent."""

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
    """The upload of one blob into one repository, over several attempts.

    Arguments:
        transport: authenticates for the repository.
        pieces: yields the blob's bytes from an offset on.
        task: advanced by the bytes that are sent, and (negative) by those that have to be sent again.
        started_at: the URL of an upload that the registry has begun already, or "".
    """

    def __init__(
        self,
        transport: Transport,
        repository: RemoteRepository,
        blob: Blob,
        pieces: Pieces,
        task: Task,
        *,
        started_at: str = "",
    ) -> None:
        self._transport = transport
        self._repository = repository
        self._blob = blob
        self._pieces = pieces
        self._task = task
        self._started_at = started_at
        self._session = ""
        self._sent_bytes = 0
        self._kept_bytes = 0

    @property
    def is_sent(self) -> bool:
        """Whether the last attempt sent everything, so that the registry may have the blob even if it failed."""
        return bool(self._session) and self._sent_bytes == self._blob.size

    @property
    def kept_bytes(self) -> int:
        """How many bytes the registry had when the last attempt began."""
        return self._kept_bytes

    def attempt(self) -> None:
        """Send the blob, or its missing rest; after a SourceError another attempt may continue."""
        offset = self._kept_bytes = self._kept() if self._session else 0
        self._sent(offset - self._sent_bytes)
        if not offset:
            self._started_at, self._session = "", self._started_at or self._begin()
        try:
            self._send(offset)
        except SourceError as error:
            if error.status in _LOST or (offset and error.code in _SPOILT):
                # the bytes that the registry had are gone or wrong: a new session may well succeed
                self._session = ""
                raise replace(error, retryable=True) from error
            raise

    def _send(self, offset: int) -> None:
        if not offset:
            self._finish(self._body(0))
            return
        self._task.note(tr("the registry has the first {offset} bytes; sending the rest", offset=offset))
        if offset < self._blob.size:
            last = self._blob.size - 1
            headers = {**_CONTENT, "Content-Range": f"{offset}-{last}"}
            with self._transport.request("PATCH", self._session, headers=headers, body=self._body(offset)) as response:
                self._session = self._location(response)
        self._finish(b"")

    def _body(self, offset: int) -> Body | bytes:
        return _Rest(self._pieces, offset, self._blob.size, self._sent) if self._blob.size else b""

    def _sent(self, count: int) -> None:
        self._sent_bytes += count
        self._task.advance(count)

    def _begin(self) -> str:
        url = f"{self._repository.url}/blobs/uploads/"
        with self._transport.request("POST", url, body=b"") as response:
            return self._location(response)

    def _kept(self) -> int:
        """Return how many bytes the registry has kept of the session, 0 when a new one is needed."""
        try:
            with self._transport.request("GET", self._session) as response:
                found = _RANGE.fullmatch(response.headers.get("Range", ""))
                kept = int(found[1]) + 1 if found and is_success(response.status) else 0
                if location := response.headers.get("Location", ""):
                    self._session = resolved(self._repository, self._session, location)
        except SourceError as error:
            if error.status is None or error.retryable or error.status in MAY_NOT:
                raise
            return 0
        # "0-0" means nothing, or one byte
        return kept if 1 < kept <= self._blob.size else 0

    def _finish(self, body: Body | bytes) -> None:
        parts = urlsplit(self._session)
        # the existing query is the registry's own, and may be signed
        query = "&".join(filter(None, (parts.query, urlencode({"digest": str(self._blob.digest)}))))
        url = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
        with self._transport.request("PUT", url, headers=_CONTENT, body=body) as response:
            if not is_success(response.status):
                raise error_for_status(response)

    def _location(self, response: Response) -> str:
        location = response.headers.get("Location", "")
        if not is_success(response.status) or not location:
            # a head that was cut looks just like a shorter one
            what, cut = (
                tr("answered {status} and not where to send a blob to", status=response.status),
                is_success(response.status),
            )
            raise invalid(self._repository, what, retryable=cut, status=response.status)
        return resolved(self._repository, f"{self._repository.url}/blobs/uploads/", location)


def resolved(repository: RemoteRepository, url: str, location: str) -> str:
    """Return the URL that a Location means, relative to `url`; SourceError when it leads to another host.

    A registry behind a proxy that terminates TLS may call itself http: the scheme in use is kept on the same host.
    """
    own = urlsplit(repository.endpoint.url)
    try:
        parts = urlsplit(urljoin(url, location))
    except ValueError as error:
        raise invalid(repository, tr("wants its blobs sent to something that is no URL")) from error
    if parts.hostname != own.hostname:
        raise SourceError(
            ErrorId.SOURCE_REFUSED,
            tr(
                "{host} wants its blobs sent to {netloc}, another host",
                host=repository.endpoint.host,
                netloc=parts.netloc,
            ),
            where=repository.where,
            remedy=tr(
                "Push to the registry by the name that it knows itself by, or correct that name in its settings."
            ),
        )
    return urlunsplit((own.scheme, own.netloc, parts.path, parts.query, ""))
