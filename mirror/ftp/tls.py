"""Explicit TLS (RFC 4217): the certificate from memory, the session that speaks it, and its data connections.

Loaded only where there is a certificate.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto

from bundler.errors import ErrorId, ServeError
from bundler.translation import tr
from mirror.ftp.data_connection import PlainDataConnection, WouldBlock, reset
from mirror.ftp.login import log_out
from mirror.ftp.pyftpdlib_adapter import TlsHandler
from mirror.ftp.session import Session

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

    from mirror.ftp.content import Content
    from mirror.ftp.data_connection import DataConnection
    from mirror.ftp.event_loop import EventLoop
    from mirror.ftp.interface import CommandFunction, Owner
    from mirror.worker.control import KeyFiles

# what is read from the file at once, and what OpenSSL takes of it in one call: one record
_BLOCK_BYTES = 256 * 1024
_RECORD_BYTES = 16 * 1024
_UNWANTED = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE


def tls_context(key_files: KeyFiles, where: str) -> SSL.Context:
    """Return the context of a certificate and its key, for both kinds of connections.

    Arguments:
        key_files: with certificate and key as PEM.
        where: the certificate's file, for messages.

    Raises ServeError (SERVE_TLS_INVALID).
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(_UNWANTED)
    try:
        own, *chain = x509.load_pem_x509_certificates(key_files.certificate or b"")
        context.use_certificate(crypto.X509.from_cryptography(own))
        for link in chain:
            context.add_extra_chain_cert(crypto.X509.from_cryptography(link))
        private = load_pem_private_key(key_files.key or b"", None)
        context.use_privatekey(crypto.PKey.from_cryptography_key(private))  # type: ignore[arg-type]
        context.check_privatekey()
    except (ValueError, TypeError, SSL.Error, crypto.Error) as error:
        raise ServeError(
            ErrorId.SERVE_TLS_INVALID,
            tr("the certificate and its key cannot be used for FTPS"),
            where=where,
            remedy=tr("Give PEM files: the certificate with its chain, and its key without a passphrase."),
        ) from error
    return context


class SecureSession(TlsHandler, Session):
    """A session whose client may ask for TLS.

    Arguments:
        context: stays this one for the session's life, whatever a reload brings.
    """

    def __init__(
        self,
        connection: socket.socket,
        owner: Owner,
        loop: EventLoop,
        commands: Mapping[str, CommandFunction],
        context: SSL.Context,
    ) -> None:
        self.tls = "offered"
        self._context = context
        self._established = False
        super().__init__(connection, owner, loop, commands, ("AUTH TLS", "PBSZ", "PROT"))

    def data_connection(self, connection: socket.socket) -> DataConnection:
        """Return a data connection as PROT has asked for it."""
        if self.account.protects_data:
            return TlsDataConnection(connection, self._context)
        return PlainDataConnection(connection)

    def start_tls(self) -> None:
        """Answer AUTH and begin the handshake; what came in clear behind it is nobody's command (RFC 4217, 15)."""
        if self._reader:
            self.hang_up("503 Nothing may follow AUTH before the handshake.")
            return
        log_out(self)
        self.tls = "in use"
        self.respond("234 Begin.")
        if not self.send_all():
            self.close()
            return
        self.secure_connection(self._context)

    def handle_ssl_established(self) -> None:
        """Take note that the handshake is done."""
        self._established = True

    def handle_error(self) -> None:
        """Log an exception that nobody expected, and end this session only; called from its handler."""
        Session.handle_error(self)

    def close(self) -> None:
        """Close the TLS layer, then everything."""
        if not self.ended and self._established:
            self._send_close_notify()
        Session.close(self)

    def _send_close_notify(self) -> None:
        """Send close_notify, if the connection takes it at once."""
        try:
            self.socket.shutdown()
        except (SSL.Error, OSError):
            return


class TlsDataConnection:
    """A protected data connection; owns its socket."""

    def __init__(self, connection: socket.socket, context: SSL.Context) -> None:
        self._socket = connection
        self._tls = SSL.Connection(context, connection)
        self._tls.set_accept_state()
        self._block = memoryview(b"")

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._socket.fileno()

    def handshake(self) -> None:
        """Do the handshake (`DataConnection.handshake`)."""
        self._try(self._tls.do_handshake)

    def send(self, content: Content, limit: int) -> int:
        """Send (`DataConnection.send`); a record that could not be sent is tried again as it was, as OpenSSL wants."""
        if not self._block:
            self._block = memoryview(content.read(min(limit, _BLOCK_BYTES)))
        total = 0
        try:
            while self._block and total < limit:
                sent: int = self._try(partial(self._tls.send, self._block[:_RECORD_BYTES]))
                content.advance(sent)
                self._block = self._block[sent:]
                total += sent
        except WouldBlock:
            if not total:
                raise
        return total

    def finish(self) -> None:
        """Send close_notify, and close."""
        self._try(self._tls.shutdown)
        self._socket.close()

    def abort(self) -> None:
        """Close without close_notify, and with RST."""
        reset(self._socket)

    def _try(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except SSL.WantReadError:
            raise WouldBlock("read") from None
        except SSL.WantWriteError:
            raise WouldBlock("write") from None
        except SSL.SysCallError as error:
            _reset_error(str(error.args[-1]))
        except (SSL.ZeroReturnError, SSL.Error):
            _reset_error("TLS failed on the data connection")


def _reset_error(what: str) -> NoReturn:
    raise OSError(errno.ECONNRESET, what)
