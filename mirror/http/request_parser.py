"""From a connection's bytes to its requests (RFC 9112), by httptools. Owns what is refused before it is a request.

A base class and no object of its own: a request for a small file costs a few microseconds, and each call between two
objects would show in them.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Any

import httptools

from mirror.http.exchange import Exchange
from mirror.http.request_fields import (
    MAX_FIELDS,
    MAX_HEAD_BYTES,
    BadRequestError,
    RequestFields,
    is_authority,
    read_fields,
)
from mirror.http.request_target import MAX_TARGET_BYTES

MAX_BODY_BYTES = 64 * 1024
# what may come of one message after the block in which it began
MAX_MESSAGE_BYTES = MAX_TARGET_BYTES + MAX_HEAD_BYTES + MAX_BODY_BYTES
# a head that has begun is kept as bytes up to here: a parser, bound to its connection, takes a kilobyte
MAX_HELD_BYTES = 512
_HELD_METHODS, _HELD_VERSIONS = (b"GET ", b"HEAD "), (b" HTTP/1.1", b" HTTP/1.0")


class RequestParser(asyncio.Protocol, ABC):
    """What a connection has read and not yet answered. A subclass decides what a request leads to."""

    __slots__ = (
        "_body_bytes", "_head_bytes", "_held", "_in_message", "_keeps", "_linger", "_message_bytes", "_messages",
        "_parser", "_plain", "_raw", "_url", "remote",
    )  # fmt: skip

    def __init__(self) -> None:
        self.remote = ""
        # there is one only while it is in the middle of something: most connections wait
        self._parser: Any = None
        # the beginning of a head that no parser has seen
        self._held = b""
        self._keeps = True
        # the fields of the message that is being read
        self._raw: RequestFields | None = None
        self._url = b""
        self._head_bytes = self._message_bytes = self._body_bytes = 0
        self._plain = True
        # how many messages ended in the present block
        self._messages = 0
        # whether a message has begun and not ended; whether nothing more is read
        self._in_message = self._linger = False

    # what a subclass does

    @abstractmethod
    def _head_started(self) -> None:
        """Take note that the first byte of a request has come."""

    @abstractmethod
    def _respond_at_once(self, url: bytes, raw: RequestFields) -> bool:
        """Answer a request that has nothing special about it, if that takes no time; return whether it was."""

    @abstractmethod
    def _respond_from_cache(self, data: bytes) -> bool:
        """Answer bytes that equal a request that was just answered; return whether they do."""

    @abstractmethod
    def _remember_block(self, data: bytes) -> None:
        """Take note that these bytes were one whole request, and nothing else."""

    @abstractmethod
    def _take_request(self, exchange: Exchange) -> None:
        """Take a request."""

    @abstractmethod
    def _refuse(self, status: int) -> None:
        """Take what is no request; nothing more is read."""

    @abstractmethod
    def _refuse_rest(self) -> None:
        """Read nothing more."""

    # what asyncio calls

    def data_received(self, data: bytes) -> None:
        """Parse what came, as long as anything may be asked."""
        if self._linger:
            return
        begins = not self._in_message
        if self._held:
            data, begins, self._held = self._held + data, True, b""
        if begins:
            if self._respond_from_cache(data):
                self._in_message = False
                return
            if self._parser is None and _is_held(data):
                self._hold(data)
                return
        else:
            self._message_bytes += len(data)
            if self._message_bytes > MAX_MESSAGE_BYTES:
                self._refuse(431)
                return
        self._parse(data, begins=begins)

    def _hold(self, data: bytes) -> None:
        if not self._in_message:
            self._in_message = True
            self._head_started()
        self._held = data

    def _parse_held(self) -> None:
        """Have a parser look at the beginning of a head, of which no more will come."""
        if self._held:
            data, self._held = self._held, b""
            self._parse(data, begins=True)

    def _parse(self, data: bytes, *, begins: bool) -> None:
        """Parse bytes; with `begins`, nothing of their first message was parsed before."""
        if self._parser is None:
            self._parser = httptools.HttpRequestParser(self)
        self._messages = 0
        try:
            self._parser.feed_data(data)
            if begins and self._messages == 1 and not self._in_message:
                self._remember_block(data)
            if not self._in_message and self._keeps:
                self._parser = None
        except httptools.HttpParserUpgrade:
            # nothing is spoken here but HTTP/1.1; the request was answered as one, and what follows is not read
            self._refuse_rest()
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, BadRequestError):
                raise
            self._refuse(cause.status)
        except httptools.HttpParserInvalidMethodError:
            self._refuse(501)
        except httptools.HttpParserError:
            self._refuse(400)

    # what httptools calls

    def on_message_begin(self) -> None:
        """Count from here: a head has to come whole within its time, whatever drips in."""
        is_new = not self._in_message
        self._in_message = True
        self._raw = []
        self._message_bytes = self._head_bytes = 0
        # not forgotten earlier: a request that is refused when it is whole is known by it
        self._url = b""
        if is_new:
            self._head_started()

    def on_url(self, url: bytes) -> None:
        """Take the target, or a part of it."""
        self._url = self._url + url if self._url else url
        if len(self._url) > MAX_TARGET_BYTES:
            raise BadRequestError(414, "the target is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one field."""
        raw = self._raw
        assert raw is not None  # noqa: S101 - a message has begun
        raw.append((name, value))
        if name not in _PLAIN_NAMES:
            self._plain = False
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_HEAD_BYTES or len(raw) > MAX_FIELDS:
            raise BadRequestError(431, "there are too many fields")

    def on_headers_complete(self) -> None:
        """Refuse at once what has content that nobody wants (a body is never read to its end to be refused)."""
        if self._plain:
            return
        for name, value in self._raw or ():
            lower = name.lower()
            if lower == b"expect" or lower == b"transfer-encoding" or (lower == b"content-length" and value != b"0"):
                self._check_body()
                break

    def on_body(self, body: bytes) -> None:
        """Pass over content of a request that has no use for it."""
        self._body_bytes += len(body)
        if self._body_bytes > MAX_BODY_BYTES:
            raise BadRequestError(413, "content has no use here")

    def on_message_complete(self) -> None:
        """Answer, or let it wait for its turn."""
        parser, raw, url, plain = self._parser, self._raw or [], self._url, self._plain
        self._raw, self._in_message, self._body_bytes, self._plain = None, False, 0, True
        self._messages += 1
        if self._linger:
            # it came in one block with the last request that is answered
            return
        keeps = self._keeps = parser.should_keep_alive()
        method = parser.get_method()
        if plain and keeps and method == b"GET" and self._respond_at_once(url, raw):
            return
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise BadRequestError(505, "no version that is spoken here")
        http_1_0 = version == "1.0"
        fields = read_fields(raw, http_1_1=not http_1_0)
        if parser.should_upgrade():
            # a client that wants another protocol gets this response, and nothing is read behind it
            keeps = False
        exchange = Exchange(method.decode("latin-1"), url, fields, keeps and not self._linger, http_1_0, self.remote)
        self._take_request(exchange)

    def _check_body(self) -> None:
        version = self._parser.get_http_version()
        fields = read_fields(self._raw or [], http_1_1=version == "1.1")
        length = fields.get(b"content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            raise BadRequestError(413, "content has no use here")
        # HTTP/1.0 cannot expect anything (RFC 9110, 10.1.1)
        expectation = fields.get(b"expect") if version == "1.1" else None
        if expectation is not None and expectation.strip().lower() != "100-continue":
            raise BadRequestError(417, "nothing else can be expected")
        waits = expectation is not None and (b"transfer-encoding" in fields or int(length) > 0)
        if waits or self._parser.get_method() not in (b"GET", b"HEAD", b"OPTIONS"):
            # the final response comes instead of 100 (Continue); what the client sends all the same is passed over
            status = 413 if self._parser.get_method() in (b"GET", b"HEAD", b"OPTIONS") else 405
            raise BadRequestError(status, "content has no use here")


def _is_held(data: bytes) -> bool:
    """Tell whether bytes are the beginning of a usual head; the end of one is an empty line, however lines end."""
    if len(data) > MAX_HELD_BYTES or not data.startswith(_HELD_METHODS) or b"\n\r\n" in data or b"\n\n" in data:
        return False
    line, newline, _ = data.partition(b"\n")
    return not newline or line.rstrip(b"\r").endswith(_HELD_VERSIONS)


# fields that change nothing about the response to a GET, as clients write them
_NEUTRAL = (b"Host", b"User-Agent", b"Accept", b"Connection", b"Accept-Encoding", b"Accept-Language", b"Cache-Control")
_PLAIN_NAMES = frozenset(_NEUTRAL) | frozenset(name.lower() for name in _NEUTRAL)
_ACCEPT_NAMES = frozenset({b"Accept", b"accept"})
_HOST_NAMES = frozenset({b"Host", b"host"})


def accepted_by(raw: RequestFields) -> str:
    """Return the Accept field of fields, all of them plain, as `read_fields` has it; "" without one."""
    return ", ".join(value.decode("latin-1") for name, value in raw if name in _ACCEPT_NAMES)


def has_one_host(raw: RequestFields) -> bool:
    """Tell whether fields, all of them plain, name one host, and name it well."""
    hosts = [value for name, value in raw if name in _HOST_NAMES]
    return len(hosts) == 1 and is_authority(hosts[0])
