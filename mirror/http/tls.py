"""A server's TLS context from PEM bytes that never touch a disk: modern protocols, the library's choice of ciphers."""

from __future__ import annotations

import os
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ServeError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator


def server_context(certificate: bytes, key: bytes, where: str) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and 1.3.

    Arguments:
        certificate: PEM, the server's own first, then its chain.
        key: PEM, without a passphrase.
        where: the certificate's path, for messages.

    Raises ServeError (SERVE_TLS_INVALID).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        with _as_file(certificate) as certificate_file, _as_file(key) as key_file:
            # the callback: a question for a passphrase on the terminal would wait for ever
            context.load_cert_chain(certificate_file, key_file, password=lambda: b"")
    except (OSError, ValueError) as error:
        # ssl.SSLError is an OSError
        raise ServeError(
            ErrorId.SERVE_TLS_INVALID,
            tr("the certificate and its key cannot be used: {error}", error=error),
            where=where,
            remedy=tr("Give PEM files that belong together, the key without a passphrase."),
        ) from error
    return context


class TlsContexts:
    """The context that listeners are made with, which hands every new connection to the newest one."""

    def __init__(self, newest: ssl.SSLContext) -> None:
        self.newest = newest
        self.listening = newest
        # called before a certificate is chosen, whether or not the client names a host (ssl, SSLContext.sni_callback)
        newest.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self.newest


@contextmanager
def _as_file(data: bytes) -> Iterator[str]:
    """Give bytes the name of a file that no disk holds: OpenSSL reads files only. A pipe is one that is read once."""
    read_end, write_end = os.pipe()
    # in a thread, since a pipe may not hold everything at once
    writer = threading.Thread(target=_write, args=(write_end, data), daemon=True)
    writer.start()
    try:
        yield f"/proc/self/fd/{read_end}"
    finally:
        os.close(read_end)
        writer.join()


def _write(descriptor: int, data: bytes) -> None:
    # the reader may be gone before everything is written
    with suppress(OSError), os.fdopen(descriptor, "wb") as pipe:
        pipe.write(data)
