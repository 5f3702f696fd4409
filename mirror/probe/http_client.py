"""HTTP and HTTPS (RFC 9110) as curl and dnf speak it: urllib3, kept connections, no proxy, no redirect."""

from __future__ import annotations

import base64
import binascii
import http.client
import re
import ssl
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

import urllib3
import urllib3.exceptions as failing
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bundler.final_response import FinalResponse
from bundler.request_log import UNREAD
from bundler.translation import tr
from mirror.probe import failures
from mirror.probe.interface import CHUNK_BYTES, CONNECT_TIMEOUT_S, IDLE_TIMEOUT_S, Disagreement, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bundler.errors import SourceError
    from bundler.model.digest import Blob
    from bundler.request_log import RequestLog
    from mirror.probe.interface import MirrorLogin
    from mirror.probe.mirror_address import MirrorAddress

_MAX_RANGE_BYTES = 1024
# what HEAD says as GET does (RFC 9110, 9.3.2)
_COMPARED = ("content-length", "content-type", "etag", "last-modified", "accept-ranges", "repr-digest")
_SHA256_TAG = re.compile(r'"([0-9a-f]{64})"')
_REPR_DIGEST = re.compile(r"(?:^|[\s,])sha-256=:([A-Za-z0-9+/=]*):")
_WHILE_READING = (failing.HTTPError, http.client.HTTPException, OSError)


class _ProbeConnection(HTTPConnection):
    response_class = FinalResponse


class _TlsProbeConnection(HTTPSConnection):
    response_class = FinalResponse


class _ProbePool(HTTPConnectionPool):
    ConnectionCls = _ProbeConnection


class _TlsProbePool(HTTPSConnectionPool):
    ConnectionCls = _TlsProbeConnection


class HttpMirrorClient:
    """One mirror over HTTP.

    Arguments:
        context: for HTTPS.
        connections: how many are kept open at most.
        log: is told of every request.
    """

    def __init__(
        self,
        address: MirrorAddress,
        login: MirrorLogin | None,
        context: ssl.SSLContext,
        *,
        connections: int,
        idle_timeout_s: float = IDLE_TIMEOUT_S,
        log: RequestLog = UNREAD,
    ) -> None:
        self._address = address
        self._log = log
        self._idle_s = idle_timeout_s
        self._fields = {"Accept-Encoding": "identity", "User-Agent": "mirror-verify"}
        if login is not None:
            pair = f"{login.name}:{login.password}".encode()
            self._fields["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        self._pool = urllib3.PoolManager(
            maxsize=connections,
            block=False,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=idle_timeout_s),
            ssl_context=context,
        )
        self._pool.pool_classes_by_scheme = {"http": _ProbePool, "https": _TlsProbePool}

    @contextmanager
    def get(self, path: str, accept: str = "") -> Iterator[Reply]:
        """Begin to fetch a file; see `interface.MirrorClient` and `interface.MirrorRegistryClient`."""
        with self._ask("GET", path, {"Accept": accept} if accept else None) as response:
            if response.status != HTTPStatus.OK:
                raise self._refusal(response, path)
            yield Reply(_header_fields(response), response.stream(CHUNK_BYTES, decode_content=False))

    def head(self, path: str, accept: str = "") -> Mapping[str, str]:
        """Return the server's header fields about a file; see `interface.MirrorRegistryClient`."""
        with self._ask("HEAD", path, {"Accept": accept} if accept else None) as response:
            if response.status != HTTPStatus.OK:
                raise self._refusal(response, path)
            return _header_fields(response)

    def disagreements(self, path: str, blob: Blob, last_byte: bytes, fields: Mapping[str, str]) -> list[Disagreement]:
        """Compare HEAD with GET, ETag and Repr-Digest with the content, and ask for the last byte alone."""
        found = [*_wrong_validators(fields, blob), *self._wrong_head(path, fields)]
        if last_byte and fields.get("accept-ranges") == "bytes":
            found += self._wrong_range(path, blob.size, last_byte)
        return found

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def _wrong_head(self, path: str, fields: Mapping[str, str]) -> list[Disagreement]:
        with self._ask("HEAD", path) as response:
            self._require_service(response, path)
            if response.status != HTTPStatus.OK:
                return [Disagreement(tr("HEAD answered as GET"), f"{response.status} {response.reason}")]
            head = _header_fields(response)
        return [
            Disagreement(f"HEAD with {field}: {fields.get(field, 'nothing')}", head.get(field, "nothing"))
            for field in _COMPARED
            if head.get(field) != fields.get(field)
        ]

    def _wrong_range(self, path: str, size: int, last_byte: bytes) -> list[Disagreement]:
        last = size - 1
        with self._ask("GET", path, {"Range": f"bytes={last}-{last}"}) as response:
            self._require_service(response, path)
            content = response.read(_MAX_RANGE_BYTES, decode_content=False)
            span = response.headers.get("Content-Range", tr("no Content-Range"))
            got = f"{response.status} {span}, {len(content)} bytes"
            want = tr(
                "{partial_content} bytes {last}-{last}/{size}, 1 bytes",
                partial_content=int(HTTPStatus.PARTIAL_CONTENT),
                last=last,
                size=size,
            )
            if got == want and content != last_byte:
                got += tr(" of another value")
        return [] if got == want else [Disagreement(tr("a range of the last byte: {want}", want=want), got)]

    @contextmanager
    def _ask(
        self, method: str, path: str, fields: Mapping[str, str] | None = None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        where = f"{self._address.origin}{self._address.url_path(path)}"
        with self._log.request(method, where) as record, self._answered(method, where, fields) as response:
            record.status = str(response.status)
            try:
                yield response
            finally:
                record.received_bytes = response.tell()

    @contextmanager
    def _answered(
        self, method: str, where: str, fields: Mapping[str, str] | None
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        try:
            response = self._pool.request(
                method, where, headers={**self._fields, **(fields or {})}, preload_content=False, redirect=False
            )
        except _WHILE_READING as error:
            raise self._failure(error, where) from error
        whole = False
        try:
            yield response
            # what is left is little, or not worth a kept connection
            whole = method == "HEAD" or not response.read(1, decode_content=False)
        except _WHILE_READING as error:
            raise self._failure(error, where) from error
        finally:
            response.release_conn() if whole else response.close()

    def _require_service(self, response: urllib3.BaseHTTPResponse, path: str) -> None:
        """Raise SourceError when the mirror, which has just served the file, says that it cannot now."""
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise self._refusal(response, path)

    def _refusal(self, response: urllib3.BaseHTTPResponse, path: str) -> SourceError:
        where = f"{self._address.origin}{self._address.url_path(path)}"
        status = f"{response.status} {response.reason}".rstrip()
        if response.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return failures.absent(where, status)
        if response.status == HTTPStatus.UNAUTHORIZED:
            return failures.unauthorized(where, status)
        if response.status == HTTPStatus.TOO_MANY_REQUESTS or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return failures.busy(where, status)
        return failures.refused(where, status)

    def _failure(self, error: BaseException, where: str) -> SourceError:
        inner = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)), None)
        if inner is not None:
            return failures.from_system(inner, where, idle_s=self._idle_s, connecting=False)
        if isinstance(error, failing.NameResolutionError):
            return failures.unreachable(where, tr("the host's name cannot be resolved"))
        # a kind of ConnectTimeoutError, in urllib3's eyes
        if isinstance(error, failing.NewConnectionError):
            system = next((cause for cause in _causes(error) if isinstance(cause, OSError)), None)
            return failures.unreachable(
                where, tr("no connection: {system}", system=(system and system.strerror) or tr("refused"))
            )
        if isinstance(error, failing.ConnectTimeoutError):
            return failures.unreachable(where, tr("no connection came about in time"))
        if isinstance(error, failing.ReadTimeoutError):
            return failures.silent(where, self._idle_s)
        return failures.cut(where, type(error).__name__)


def _header_fields(response: urllib3.BaseHTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _wrong_validators(fields: Mapping[str, str], blob: Blob) -> list[Disagreement]:
    """Compare the digests that the server names, if any: other servers' ETags say nothing of the content."""
    found = []
    tag = _SHA256_TAG.fullmatch(fields.get("etag", ""))
    if tag and tag[1] != blob.digest.hex:
        found.append(Disagreement(f'ETag "{blob.digest.hex}"', fields["etag"]))
    named = _REPR_DIGEST.search(fields.get("repr-digest", ""))
    if named:
        try:
            right = base64.b64decode(named[1], validate=True).hex() == blob.digest.hex
        except binascii.Error:
            right = False
        if not right:
            found.append(Disagreement(f"Repr-Digest of sha256 {blob.digest.hex}", fields["repr-digest"]))
    return found


def _causes(error: BaseException) -> Iterator[BaseException]:
    pending, seen = [error], set[int]()
    while pending:
        current = pending.pop()
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            inner = (*current.args, getattr(current, "reason", None), current.__cause__, current.__context__)
            pending += [cause for cause in inner if isinstance(cause, BaseException)]
