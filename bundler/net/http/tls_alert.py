"""Connections that read what urllib3 does not: answers before the final one, and the TLS alert of a server that closes
while the request is still being sent. Owns those two corrections; refuses everything else.
"""

from __future__ import annotations

import ssl
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bundler.final_response import FinalResponse
from bundler.translation import tr


class _PlainConnection(HTTPConnection):
    response_class = FinalResponse


class _AlertingConnection(HTTPSConnection):
    response_class = FinalResponse

    def send(self, data: Any) -> None:
        """Send; BrokenPipeError when the server has closed the connection.

        With TLS 1.3 a server refuses a client certificate, or the lack of one, only after the client's handshake has
        ended. Its alert then waits to be read; urllib3 reads on after a BrokenPipeError, but not after an SSLEOFError.
        """
        try:
            super().send(data)
        except ssl.SSLEOFError as error:
            raise BrokenPipeError(error.errno, tr("the server closed the connection")) from error


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _AlertingPool(HTTPSConnectionPool):
    ConnectionCls = _AlertingConnection


POOLS = {"http": _PlainPool, "https": _AlertingPool}
