"""The head of a response as bytes (RFC 9112, 4): status line and fields."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mirror.dates import http_date
from mirror.http.response import REASONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.http.response import OutgoingResponse, ResponseFields

SERVER = "kubeedge-mirror"


class Heads:
    """Makes heads; the date in them is refreshed by `tick`, once a second."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._date = ""
        self.opening = b""
        self.tick()

    def tick(self) -> None:
        """Take over the present second."""
        date = http_date(self._clock())
        if date != self._date:
            self._date = date
            # what the response that is sent most often begins with
            self.opening = f"HTTP/1.1 200 OK\r\nServer: {SERVER}\r\nDate: {date}\r\n".encode()

    def head(self, response: OutgoingResponse, *, keeps: bool, http_1_0: bool) -> bytes:
        """Return the head of a response.

        Arguments:
            keeps: whether the connection stays open for the next request.
            http_1_0: whether the client speaks HTTP/1.0, which closes connections unless it is told otherwise.
        """
        lines = [f"HTTP/1.1 {response.status} {REASONS[response.status]}", f"Server: {SERVER}", f"Date: {self._date}"]
        lines += [f"{name}: {value}" for name, value in response.fields]
        if not keeps:
            lines.append("Connection: close")
        elif http_1_0:
            lines.append("Connection: keep-alive")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def rest_of_head(fields: ResponseFields) -> bytes:
    """Return what follows `Heads.opening`: fields and the empty line."""
    return ("".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n").encode("latin-1")
