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
from pyftpdlib.handlers.ftps.ssl import SSLConnectionMixin

from bundler.errors import ErrorId, ServeError
from mirror.ftp.commands import COMMANDS
from mirror.ftp.data_connection import PlainDataConnection, WouldBlock, reset
from mirror.ftp.session import Session

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from mirror.ftp.content import Content
    from mirror.ftp.data_connection import DataConnection
    from mirror.ftp.server import Server
    from mirror.worker.control import Material

# what is read from the file at once, and what OpenSSL takes of it in one call: one record
_BLOCK_BYTES = 256 * 1024
_RECORD_BYTES = 16 * 1024
_UNWANTED = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE


class Tls:
    """The certificate in use.

    Arguments:
        material: with certificate and key as PEM.
        where: the certificate's file, for messages.

    Raises ServeError (SERVE_TLS_INVALID).
    """

    def __init__(self, material: Material, where: str) -> None:
        self._context = _context(material.certificate or b"", material.key or b"", where)

    def session(self, connection: socket.socket, service: Server, ioloop: Any) -> Session:
        """Return the session of a new connection."""
        return SecureSession(connection, service, ioloop, self._context)


def _context(certificate: bytes, key: bytes, where: str) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(_UNWANTED)
    try:
        own, *chain = x509.load_pem_x509_certificates(certificate)
        context.use_certificate(crypto.X509.from_cryptography(own))
        for link in chain:
            context.add_extra_chain_cert(crypto.X509.from_cryptography(link))
        private = load_pem_private_key(key, None)
        context.use_privatekey(crypto.PKey.from_cryptography_key(private))  # type: ignore[arg-type]
        context.check_privatekey()
    except (ValueError, TypeError, SSL.Error, crypto.Error) as error:
        raise ServeError(
            ErrorId.SERVE_TLS_INVALID,
            "the certificate and its key cannot be used for FTPS",
            where=where,
            remedy="Give PEM files: the certificate with its chain, and its key without a passphrase.",
        ) from error
    return context


def auth(session: SecureSession, argument: str) -> None:
    """AUTH."""
    if session.asked_for_tls:
        session.respond("503 TLS is in use already.")
    elif argument.upper() not in ("TLS", "TLS-C", "SSL"):
        session.respond("504 Only TLS is known.")
    else:
        session.start_tls()


def pbsz(session: SecureSession, _: str) -> None:
    """PBSZ; the only size for TLS is 0."""
    if not session.asked_for_tls:
        session.respond("503 Send AUTH TLS first.")
        return
    session.sizes_agreed = True
    session.respond("200 PBSZ=0")


def prot(session: SecureSession, argument: str) -> None:
    """PROT."""
    level = argument.upper()
    if not session.sizes_agreed:
        session.respond("503 Send PBSZ first.")
    elif level in ("C", "P"):
        session.private = level == "P"
        session.respond(f"200 Data connections are {'protected' if session.private else 'clear'}.")
    else:
        session.respond("536 Only C and P are known." if level in ("S", "E") else "504 Only C and P are known.")


TLS_COMMANDS: dict[str, Callable[[Any, str], None]] = {"AUTH": auth, "PBSZ": pbsz, "PROT": prot}


class SecureSession(SSLConnectionMixin, Session):
    """A session whose client may ask for TLS.

    Arguments:
        context: stays this one for the session's life, whatever a reload brings.
    """

    obeyed = COMMANDS | TLS_COMMANDS

    def __init__(self, conn: socket.socket, server: Server, ioloop: Any, context: SSL.Context) -> None:
        self.context = context
        self.sizes_agreed = False
        self.private = False
        super().__init__(conn, server, ioloop=ioloop)
        self._extra_feats = ["AUTH TLS", "PBSZ", "PROT"]

    def __repr__(self) -> str:
        return Session.__repr__(self)

    @property
    def wants_tls(self) -> bool:
        """Whether passwords have to wait for AUTH TLS."""
        return not self._ssl_established

    @property
    def asked_for_tls(self) -> bool:
        """Whether the control connection is protected, or about to be."""
        return bool(self._ssl_requested)

    def data_connection(self, connection: socket.socket) -> DataConnection:
        """Return a data connection as PROT has asked for it."""
        return TlsDataConnection(connection, self.context) if self.private else PlainDataConnection(connection)

    def flush_account(self) -> None:
        """Forget who has logged in, and PROT with it."""
        super().flush_account()
        self.sizes_agreed = self.private = False

    def start_tls(self) -> None:
        """Answer AUTH and begin the handshake; what came in clear behind it is nobody's command (RFC 4217, 15)."""
        if self.reader:
            self.hang_up("503 Nothing may follow AUTH before the handshake.")
            return
        self.flush_account()
        self.protocol = "ftps"
        self.respond("234 Begin.")
        if not self.send_all():
            self.close()
            return
        self.secure_connection(self.context)

    def send(self, data: bytes) -> int:
        """Send what the connection takes; a client whose TLS is broken is no error of ours."""
        try:
            return int(super().send(data))
        except SSL.Error:
            self.close()
            return 0

    def recv(self, buffer_size: int) -> bytes:
        """Receive; nothing more when the client's TLS is broken."""
        try:
            return bytes(super().recv(buffer_size))
        except SSL.Error:
            self.close()
            return b""

    def handle_failed_ssl_handshake(self) -> None:
        """Close: no reply can be sent."""
        self.close()

    def handle_error(self) -> None:
        """Report an exception that nobody expected, and end this session only; called from its handler."""
        Session.handle_error(self)

    def close(self) -> None:
        """Close the TLS layer, then everything."""
        if not self._closed and self._ssl_established:
            self.send_close_notify()
        Session.close(self)

    def send_close_notify(self) -> None:
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
