"""FTP and explicit FTPS (RFC 959, 2428, 3659, 4217) as clients of a yum repository speak it: passive and binary."""

from __future__ import annotations

import ftplib
import re
import socket
from contextlib import contextmanager, suppress
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING

from bundler.request_log import UNREAD
from bundler.translation import tr
from mirror.probe import failures
from mirror.probe.interface import CHUNK_BYTES, CONNECT_TIMEOUT_S, IDLE_TIMEOUT_S, Disagreement, Reply

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from bundler.errors import SourceError
    from bundler.model.digest import Blob
    from bundler.request_log import RequestLog, RequestRecord
    from mirror.probe.interface import MirrorLogin
    from mirror.probe.mirror_address import MirrorAddress

# RFC 1635 asks anonymous users for an address; none of a person's is given
_ANONYMOUS = ("anonymous", "anonymous@")
_NOT_LOGGED_IN, _NO_SUCH_FILE = "530", "550"
_NOT_OFFERED = ("500", "502", "504")
# more digits than any file has bytes are no size
_SIZE = re.compile(r"213 +(\d{1,18})", re.ASCII)
_EPSV = re.compile(r"\(([!-/:-~])\1\1(\d{1,5})\1\)", re.ASCII)
# ftplib decodes replies with the encoding that it gets, and gives up on the first byte that does not fit
_ANY_BYTES = "latin-1"
_MAX_REPLY_LINES, _MAX_SHOWN_CHARACTERS = 1000, 300
_SENDABLE = re.compile(r"[^\r\n\0]*")
_WHILE_TALKING = (OSError, EOFError, ftplib.Error)


class FtpMirrorClient:
    """One mirror over FTP; keeps a connection for each thread that fetches at the same time.

    Arguments:
        context: for FTPS.
        log: is told of every file that was asked for.
    """

    def __init__(
        self,
        address: MirrorAddress,
        login: MirrorLogin | None,
        context: ssl.SSLContext,
        *,
        idle_timeout_s: float = IDLE_TIMEOUT_S,
        log: RequestLog = UNREAD,
    ) -> None:
        self._address = address
        self._log = log
        self._login = login
        self._context = context
        self._idle_s = idle_timeout_s
        self._idle: LifoQueue[ftplib.FTP] = LifoQueue()

    @contextmanager
    def get(self, path: str) -> Iterator[Reply]:
        """Begin to fetch a file; see `interface.MirrorClient`."""
        with (
            self._request(path) as record,
            self._control(path) as control,
            self._data(control, path, 0, record) as chunks,
        ):
            yield Reply({}, chunks)

    def disagreements(self, path: str, blob: Blob, last_byte: bytes, fields: Mapping[str, str]) -> list[Disagreement]:
        """Compare SIZE with the content, and fetch the last byte alone (REST)."""
        del fields
        found = []
        with self._control(path) as control:
            size = self._size(control, path)
            if size not in (None, blob.size):
                found.append(Disagreement(f"SIZE {blob.size}", str(size)))
            if last_byte:
                with self._request(path) as record, self._data(control, path, blob.size - 1, record) as chunks:
                    rest = b"".join(chunks)
                if rest != last_byte:
                    got = tr("{count} bytes", count=len(rest)) if len(rest) != 1 else tr("another byte")
                    found.append(Disagreement(tr("the last byte alone after REST {size}", size=blob.size - 1), got))
        return found

    def close(self) -> None:
        """Close all connections; a server may take its time to answer QUIT, and nothing of it is needed."""
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()

    def _request(self, path: str) -> AbstractContextManager[RequestRecord]:
        return self._log.request("RETR", f"{self._address.origin}{self._address.url_path(path)}")

    @contextmanager
    def _control(self, path: str) -> Iterator[ftplib.FTP]:
        """Lend a logged-in connection; one that something went wrong on is not used again."""
        where = f"{self._address.origin}{self._address.url_path(path)}"
        try:
            control = self._idle.get_nowait()
        except Empty:
            control = self._connect(where)
        try:
            yield control
        except _WHILE_TALKING as error:
            control.close()
            raise self._failure(error, where, connecting=False) from error
        except BaseException:
            control.close()
            raise
        self._idle.put(control)

    def _connect(self, where: str) -> ftplib.FTP:
        name, password = self._login or _ANONYMOUS
        if not _SENDABLE.fullmatch(name + password):
            raise failures.unauthorized(where, tr("no command of FTP can hold a line feed"))
        control: _EpsvConnection | _TlsEpsvConnection
        if self._address.tls:
            control = _TlsEpsvConnection(context=self._context, encoding=_ANY_BYTES)
        else:
            control = _EpsvConnection(encoding=_ANY_BYTES)
        connecting = True
        try:
            control.connect(self._address.host, self._address.port, CONNECT_TIMEOUT_S)
            connecting = False
            if control.sock is not None:
                control.sock.settimeout(self._idle_s)
            control.timeout = self._idle_s
            control.login(name, password)
            if isinstance(control, ftplib.FTP_TLS):
                control.prot_p()
            control.voidcmd("TYPE I")
        except _WHILE_TALKING as error:
            control.close()
            raise self._failure(error, where, connecting=connecting) from error
        except UnicodeError as error:
            # the codec for names of hosts (RFC 3490)
            raise failures.unreachable(where, tr("this is no name of a host")) from error
        return control

    @contextmanager
    def _data(self, control: ftplib.FTP, path: str, offset: int, record: RequestRecord) -> Iterator[Iterator[bytes]]:
        connection = control.transfercmd(f"RETR {self._path(path)}", offset or None)
        with connection:
            yield _counted(iter(lambda: connection.recv(CHUNK_BYTES), b""), record)
            # a transfer that is given up, or that the server goes on with, ends with its connection
            if connection.recv(1):
                raise ftplib.error_reply("more data than was wanted")  # noqa: S321 - FTP is the task
        record.status = control.voidresp()[:3]

    def _size(self, control: ftplib.FTP, path: str) -> int | None:
        try:
            answer = _SIZE.match(control.sendcmd(f"SIZE {self._path(path)}"))
        except ftplib.error_perm as error:
            if str(error)[:3] in _NOT_OFFERED:
                return None
            raise
        return int(answer[1]) if answer else None

    def _path(self, path: str) -> str:
        return f"{self._address.base}/{path}"

    def _failure(self, error: OSError | EOFError | ftplib.Error, where: str, *, connecting: bool) -> SourceError:
        if not isinstance(error, ftplib.Error):
            return failures.from_system(error, where, idle_s=self._idle_s, connecting=connecting)
        lines = str(error).encode(_ANY_BYTES, "replace").decode(errors="replace").splitlines()
        reply = lines[0][:_MAX_SHOWN_CHARACTERS] if lines else type(error).__name__
        if isinstance(error, ftplib.error_temp):
            return failures.busy(where, reply)
        if reply.startswith(_NO_SUCH_FILE):
            return failures.absent(where, reply)
        return (
            failures.unauthorized(where, reply) if reply.startswith(_NOT_LOGGED_IN) else failures.refused(where, reply)
        )


def _counted(chunks: Iterator[bytes], record: RequestRecord) -> Iterator[bytes]:
    for chunk in chunks:
        record.received_bytes += len(chunk)
        yield chunk


class _EpsvConnection(ftplib.FTP):
    """A control connection that asks for a passive port alone (EPSV, RFC 2428), which survives address translation.

    Replies may be in any encoding, for they are only shown; one without an end is an error of ftplib's.
    """

    _lines_left = _MAX_REPLY_LINES

    def getline(self) -> str:
        """Return a line of a reply."""
        if self._lines_left <= 0:
            raise ftplib.error_proto(  # noqa: S321 - FTP is the task
                tr("a reply of more than {max_reply_lines} lines", max_reply_lines=_MAX_REPLY_LINES)
            )
        self._lines_left -= 1
        return super().getline()

    def getmultiline(self) -> str:
        """Return a whole reply."""
        self._lines_left = _MAX_REPLY_LINES
        return super().getmultiline()

    def putline(self, line: str) -> None:
        """Send a command; names are UTF-8 (RFC 2640)."""
        super().putline(line.encode().decode(_ANY_BYTES))

    def makepasv(self) -> tuple[str, int]:
        """Return where the data connection goes: to the host that was asked, at the port it names."""
        if self.sock is None:
            raise EOFError
        try:
            reply = self.sendcmd("EPSV")
        except ftplib.error_perm:
            if self.af != socket.AF_INET:
                raise
            return super().makepasv()
        named = _EPSV.search(reply)
        if named is None:
            raise ftplib.error_proto(reply)  # noqa: S321 - FTP is the task
        return str(self.sock.getpeername()[0]), int(named[2])


class _TlsEpsvConnection(ftplib.FTP_TLS, _EpsvConnection):
    """The same under TLS; data connections resume its session, as servers may demand (vsftpd's require_ssl_reuse)."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Open a data connection and start TLS on it."""
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - FTP is the task
        session = getattr(self.sock, "session", None)
        return self.context.wrap_socket(connection, server_hostname=self.host, session=session), size
