"""Which servers' certificates are verified, and the TLS contexts for that, each made when the first server needs it.

Owns that choice, and that the system's authorities (some 150, a fiftieth of a second) are read once, and only where TLS
is spoken; refuses to know what a context holds (`tls`).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable


class Trust:
    """Safe for many threads.

    Arguments:
        ca_file: PEM file of authorities to trust in addition to the system's, or None.
        insecure_hosts: `host` or `host:port` whose certificates are not verified.

    Raises SourceError, StorageError when the PEM file cannot be used.
    """

    def __init__(self, ca_file: str | None = None, insecure_hosts: frozenset[str] = frozenset()) -> None:
        self._ca_file = ca_file
        self._insecure_hosts = frozenset(host.lower() for host in insecure_hosts)
        self._lock = threading.Lock()
        self._verifying: ssl.SSLContext | None = None
        self._trusting: ssl.SSLContext | None = None
        if ca_file:
            # what is wrong with it is told before anything is sent
            self.verifying()

    @property
    def has_insecure_hosts(self) -> bool:
        """Whether there is a host that is not verified."""
        return bool(self._insecure_hosts)

    def is_insecure(self, url: str) -> bool:
        """Tell whether the certificate of a URL's server is not verified; ValueError when its port is not a number."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        return host in self._insecure_hosts or f"{host}:{parts.port or 443}" in self._insecure_hosts

    def verifying(self) -> ssl.SSLContext:
        """Return the context for servers that are verified."""
        with self._lock:
            self._verifying = self._verifying or self.new_verifying()
            return self._verifying

    def trusting(self) -> ssl.SSLContext:
        """Return the context for the insecure ones."""
        with self._lock:
            self._trusting = self._trusting or self.new_trusting()
            return self._trusting

    def new_verifying(self) -> ssl.SSLContext:
        """Return a context of one's own, to present a client certificate."""
        from bundler.net.http.tls import trusting_context

        return trusting_context(self._ca_file)

    def new_trusting(self) -> ssl.SSLContext:
        """Return a context of one's own that verifies nobody."""
        from bundler.net.http.tls import trusting_anybody

        return trusting_anybody()

    def context_for(self, url: str) -> Callable[[], ssl.SSLContext]:
        """Return what returns the context for a URL's server; ValueError when its port is not a number."""
        return self.trusting if self.is_insecure(url) else self.verifying
