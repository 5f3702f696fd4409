"""A `Transport` that is made, and its libraries loaded, by the first request: often all that is wanted is there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from bundler.net.interface import Body, ClosingTransport, Credentials, Response


class DeferredTransport:
    """Safe for many threads.

    Arguments:
        load: returns the real one; called once at most.
    """

    def __init__(self, load: Callable[[], ClosingTransport]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._loaded: ClosingTransport | None = None

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        credentials: Credentials | None = None,
        body: bytes | Body | None = None,
    ) -> AbstractContextManager[Response]:
        """Send one request; see `interface.Transport`."""
        with self._lock:
            self._loaded = transport = self._loaded or self._load()
        return transport.request(method, url, headers=headers, credentials=credentials, body=body)

    def close(self) -> None:
        """Close all connections, if there was ever one."""
        with self._lock:
            if self._loaded is not None:
                self._loaded.close()
