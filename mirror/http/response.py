"""A response as a value: status, fields, and the pieces that make its content. Pure; `connection` sends it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirror.dates import http_date
from mirror.http.conditions import judge
from mirror.http.ranges import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirror.tree.served import File

REASONS = {
    200: "OK",
    204: "No Content",
    206: "Partial Content",
    301: "Moved Permanently",
    303: "See Other",
    304: "Not Modified",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    412: "Precondition Failed",
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    417: "Expectation Failed",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}
METHODS = "GET, HEAD, OPTIONS"
# listed files stay what they are, but another bundle may become the current one: ask again, by the tag
REVALIDATE = "no-cache"
# what is mapped goes out as it lies there: a large text costs no memory for each client
Piece = bytes | memoryview | Span
ResponseFields = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class OutgoingResponse:
    """What goes back to the client.

    Arguments:
        status: as in RFC 9110, 15.
        fields: all but Date, Server and Connection; Content-Length included.
        pieces: the content: bytes of our own or mapped ones, and spans of the file; empty for HEAD as well.
        file: whose spans they are.
        closes: the connection ends with it.
    """

    status: int
    fields: ResponseFields
    pieces: tuple[Piece, ...] = ()
    file: File | None = None
    closes: bool = False


def text_response(
    status: int, text: str, fields: ResponseFields | None = None, *, closes: bool = False
) -> OutgoingResponse:
    """Return a response of a line or two, for programs."""
    body = text.encode()
    all_fields = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))), *(fields or ())]
    return OutgoingResponse(status, all_fields, (body,), closes=closes)


def body_response(status: int, body: bytes, media_type: str, fields: ResponseFields | None = None) -> OutgoingResponse:
    """Return a response with content of our own."""
    return OutgoingResponse(
        status, [("Content-Type", media_type), ("Content-Length", str(len(body))), *(fields or ())], (body,)
    )


def file_response(fields: Mapping[bytes, str], file: File) -> OutgoingResponse:
    """Return the response to a GET for a file that is there and unchanged; for HEAD, leave out the pieces."""
    verdict = judge(fields, file)
    common = file_fields(file)
    match verdict.status:
        case 304:
            # what a cache may need to update (RFC 9110, 15.4.5)
            return OutgoingResponse(304, [field for field in common if field[0] in _KEPT_BY_304], file=file)
        case 412:
            return text_response(412, "The file is another than the one that was asked for.\n")
        case 416:
            unsatisfied = [("Content-Range", f"bytes */{file.size}"), ("Accept-Ranges", "bytes")]
            return text_response(416, "The file has no such bytes.\n", unsatisfied)
        case 206 if len(verdict.spans) == 1:
            return _one_span(common, file, verdict.spans[0])
        case 206:
            return _many_spans(common, file, verdict.spans)
        case _:
            sized = [*common, ("Content-Type", file.media_type), ("Content-Length", str(file.size))]
            return OutgoingResponse(200, sized, (Span(0, file.size),), file)


_KEPT_BY_304 = ("ETag", "Last-Modified", "Cache-Control")


def file_fields(file: File) -> ResponseFields:
    """Return the fields that every response about a file has."""
    fields = [
        ("ETag", file.etag),
        ("Last-Modified", http_date(file.modified_s)),
        ("Accept-Ranges", "bytes"),
        ("Cache-Control", REVALIDATE),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if file.digest is not None:
        # RFC 9530, 3: of the whole file, whichever part is sent
        encoded = base64.b64encode(bytes.fromhex(file.digest.hex)).decode()
        fields.append(("Repr-Digest", f"sha-256=:{encoded}:"))
    return fields


def _one_span(common: ResponseFields, file: File, span: Span) -> OutgoingResponse:
    fields = [
        *common,
        ("Content-Type", file.media_type),
        ("Content-Range", f"bytes {span.start}-{span.stop - 1}/{file.size}"),
        ("Content-Length", str(span.size)),
    ]
    return OutgoingResponse(206, fields, (span,), file)


def _many_spans(common: ResponseFields, file: File, spans: tuple[Span, ...]) -> OutgoingResponse:
    """Return a multipart/byteranges response (RFC 9110, 14.6)."""
    # a boundary must not occur in the content; nobody who makes a file can know this one's digest of it
    boundary = hashlib.sha256(f"{file.etag} {spans}".encode()).hexdigest()[:40]
    pieces: list[Piece] = []
    for span in spans:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {file.media_type}\r\n"
            f"Content-Range: bytes {span.start}-{span.stop - 1}/{file.size}\r\n\r\n"
        )
        pieces += [head.encode(), span]
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    size = sum(piece.size if isinstance(piece, Span) else len(piece) for piece in pieces)
    fields = [
        *common,
        ("Content-Type", f"multipart/byteranges; boundary={boundary}"),
        ("Content-Length", str(size)),
    ]
    return OutgoingResponse(206, fields, tuple(pieces), file)
