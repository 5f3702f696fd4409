"""Plain files over FTP (RFC 959, 1738, 2428, 3659): passive, binary, resumed where an earlier attempt stopped.

Owns what a server's replies mean and what identifies a file's bytes (its date and size); refuses to try twice
(`retry`), to choose among sources (`download`), and to use proxies: connections go to the FTP server itself.
"""

from __future__ import annotations

import ftplib
import re
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from bundler.errors import ErrorId, SourceError
from bundler.net.http.attempt import other_size
from bundler.net.interface import Document, Received
from bundler.net.redact import redact
from bundler.request_log import UNREAD
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.model.progress import Task
    from bundler.model.sink import Sink
    from bundler.net.interface import Credentials
    from bundler.request_log import RequestLog, RequestRecord

BLOCK_BYTES = 256 * 1024
IDLE_TIMEOUT_S = 60.0
# RFC 1635 wants an e-mail address of anonymous users; nobody's is sent
ANONYMOUS = ("anonymous", "anonymous@")
# RFC 959, 4.2: the command is unknown or not implemented
_NOT_OFFERED = ("500", "501", "502", "504")
_REPLY = re.compile(r"[1-5]\d\d")
_MDTM = re.compile(r"213 (\d{14})(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class FtpDownloader:
    """Fetches files from FTP servers; every file has a connection of its own.

    Arguments:
        idle_timeout_s: how long a server may be silent, and connecting may take, in seconds.
        log: is told of every file that was asked for.
    """

    idle_timeout_s: float = IDLE_TIMEOUT_S
    log: RequestLog = UNREAD

    def transfer(
        self, url: str, sink: Sink, task: Task, *, credentials: Credentials | None = None, size: int | None = None
    ) -> Received:
        """Download a file into the sink in one attempt, only the missing part where the file has not changed.

        Arguments:
            task: advanced by the bytes that arrive, and (negative) by those that have to be dropped.
            credentials: of the server; None for anonymous.
            size: the pinned size in bytes, or None.

        Raises SourceError by the server's reply, IntegrityError (UPSTREAM_CHANGED: another size than the pinned one),
        StorageError (from the sink).
        """
        with self._session(url, credentials) as session:
            announced, modified_s = session.size(), session.modified_s()
            if size is not None and announced not in (None, size):
                raise other_size(url, size, tr("{announced} bytes", announced=announced))
            # in the form of an ETag, so that no HTTP server that is asked for the rest can take it for one of its own
            validator = f'"ftp-{modified_s}-{announced}"' if None not in (announced, modified_s) else ""
            if not (validator and session.continues(sink, validator, announced)):
                task.advance(-sink.offset)
                sink.restart(validator)
            if sink.offset == 0 or sink.offset != announced:
                for block in session.blocks(sink.offset):
                    if size is not None and sink.offset + len(block) > size:
                        task.advance(-sink.offset)
                        sink.restart("")
                        raise other_size(url, size, tr("more than {size} bytes", size=size))
                    sink.write(block)
                    task.advance(len(block))
            if announced is not None and sink.offset != announced:
                raise session.cut(
                    tr("{announced} bytes were announced, {offset} have come", announced=announced, offset=sink.offset)
                )
            if size is not None and sink.offset != size:
                raise other_size(url, size, tr("{offset} bytes", offset=sink.offset))
        return Received(sink.offset, modified_s, "")

    def size(self, url: str, *, credentials: Credentials | None = None) -> int | None:
        """Return a file's size in bytes, None when the server announces no sizes; SourceError when there is no file."""
        with self._session(url, credentials) as session:
            return session.size(required=True)

    def read(self, url: str, *, max_bytes: int, credentials: Credentials | None = None) -> Document:
        """Return a small file; SourceError when it is missing or longer than that."""
        with self._session(url, credentials) as session:
            announced, modified_s = session.size(), session.modified_s()
            data = bytearray()
            if announced is None or announced <= max_bytes:
                for block in session.blocks(0):
                    data += block
                    if len(data) > max_bytes:
                        break
            if max(announced or 0, len(data)) > max_bytes:
                raise SourceError(
                    ErrorId.SOURCE_INVALID,
                    tr(
                        "is longer than {max_bytes} bytes, which is more than such a document can have",
                        max_bytes=max_bytes,
                    ),
                    where=redact(url),
                    remedy=tr("Check that the URL names the right document."),
                )
            if announced is not None and len(data) < announced:
                raise session.cut(
                    tr("{announced} bytes were announced, {count} have come", announced=announced, count=len(data))
                )
        return Document(bytes(data), modified_s, "")

    @contextmanager
    def _session(self, url: str, credentials: Credentials | None) -> Iterator[_FtpSession]:
        path = _path(url)
        user, password = (credentials.username, credentials.secret) if credentials else ANONYMOUS
        with self.log.request("RETR", redact(url)) as record, _translated(url, self.idle_timeout_s):
            control = _ControlConnection(timeout=self.idle_timeout_s, encoding="latin-1")
            try:
                _log_in(control, url, user, password)
                yield _FtpSession(control, path, url, record)
            finally:
                # without QUIT: its reply may take long, and nothing depends on it
                control.close()


class _ControlConnection(ftplib.FTP):
    """The control connection; requests a passive port alone (EPSV, RFC 2428), which works with address translation."""

    def makepasv(self) -> tuple[str, int]:
        """Return host and port of the data connection: the host of this connection, the port of the reply."""
        if self.sock is None:
            raise EOFError
        try:
            return ftplib.parse229(self.sendcmd("EPSV"), self.sock.getpeername())  # noqa: S321 - FTP is the task
        except ftplib.error_perm:
            if self.af != socket.AF_INET:
                raise
            return super().makepasv()


@dataclass(frozen=True, slots=True)
class _FtpSession:
    """A control connection after login, and the one file it is for."""

    control: _ControlConnection
    path: str
    url: str
    record: RequestRecord

    def size(self, *, required: bool = False) -> int | None:
        """Return the file's size, None when it is not announced; with `required` a missing file raises."""
        reply = self._reply("SIZE", required=required).removeprefix("213 ").strip()
        return int(reply) if reply.isascii() and reply.isdigit() else None

    def modified_s(self) -> int | None:
        """Return when the file was last changed, in seconds since the epoch (RFC 3659, 2.3: in UTC), or None."""
        reply = _MDTM.fullmatch(self._reply("MDTM").strip())
        try:
            return int(datetime.strptime(reply[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()) if reply else None
        except ValueError:
            return None

    def continues(self, sink: Sink, validator: str, announced: int | None) -> bool:
        """Tell whether the sink holds the beginning of the file as it is now, and the server can send the rest."""
        if sink.validator != validator or announced is None or sink.offset > announced:
            return False
        if sink.offset in (0, announced):
            return True
        try:
            self.control.sendcmd(f"REST {sink.offset}")
        except ftplib.error_perm:
            return False
        return True

    def blocks(self, offset: int) -> Iterator[bytes]:
        """Yield the file's bytes from an offset on; raises unless the server confirms that it sent all of them."""
        with self.control.transfercmd(f"RETR {self.path}", offset or None) as connection:
            while block := connection.recv(BLOCK_BYTES):
                self.record.received_bytes += len(block)
                yield block
        self.record.status = self.control.voidresp()[:3]

    def cut(self, what: str) -> SourceError:
        """Return the error for fewer bytes than were announced."""
        return _cut(what, self.url)

    def _reply(self, command: str, *, required: bool = False) -> str:
        try:
            return self.control.sendcmd(f"{command} {self.path}")
        except ftplib.error_perm as error:
            if required and not str(error).startswith(_NOT_OFFERED):
                raise
            return ""


def _log_in(control: _ControlConnection, url: str, user: str, password: str) -> None:
    parts = urlsplit(url)
    try:
        control.connect(parts.hostname or "", parts.port or ftplib.FTP_PORT)
        control.login(user, password)
    except ValueError as error:
        # an invalid host name, or a line end within a password
        from bundler.net.http.connection_errors import source_error  # it knows requests, too

        raise source_error(error, url, idle_timeout_s=0) from error
    control.voidcmd("TYPE I")


def _path(url: str) -> str:
    """Return the path as it is sent to the server: relative to the login's directory, `%2F` first for the root.

    (RFC 1738, 3.2.2.) Its bytes are kept, whatever encoding they are in. Raises SourceError for a URL that cannot be
    requested, control characters included: they would end the command and begin another.
    """
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    path = unquote_to_bytes(parts.path[1:]).decode("latin-1") if usable else ""
    if not path or any(character in path for character in "\r\n\0"):
        raise SourceError(
            ErrorId.SOURCE_INVALID,
            tr("is not a URL that can be asked for"),
            where=redact(url),
            remedy=tr("Correct the URL."),
        )
    return path


@contextmanager
def _translated(url: str, idle_timeout_s: float) -> Iterator[None]:
    """Turn what ftplib and the socket raise in the block into a SourceError."""
    try:
        yield
    except ftplib.Error as error:
        raise _reply_error(str(error), url) from error
    except EOFError as error:
        raise _cut(tr("the server closed the connection"), url) from error
    except OSError as error:
        from bundler.net.http.connection_errors import source_error  # it knows requests, too

        raise source_error(error, url, idle_timeout_s=idle_timeout_s) from error


def _reply_error(reply: str, url: str) -> SourceError:
    """Return the error for a reply (RFC 959, 4.2)."""
    code, where = reply[:3], redact(url)
    what = (
        tr("the server answered {splitlines}", splitlines=reply.splitlines()[0][:200])
        if reply
        else tr("the server answered nothing")
    )
    if not _REPLY.fullmatch(code):
        return SourceError(
            ErrorId.SOURCE_INVALID,
            tr("what answers there does not speak FTP"),
            where=where,
            remedy=tr("Check the URL's host and port."),
        )
    if code in ("530", "332", "430"):
        return SourceError(
            ErrorId.SOURCE_UNAUTHORIZED,
            what,
            where=where,
            remedy=tr("Give credentials for this host in ~/.netrc, or check their rights."),
        )
    if code == "550":
        return SourceError(
            ErrorId.SOURCE_NOT_FOUND, what, where=where, remedy=tr("Check the name and the version in the manifest.")
        )
    if code in ("425", "426"):
        return _cut(what, url)
    if code.startswith("4"):
        return SourceError(
            ErrorId.SOURCE_BUSY,
            what,
            where=where,
            remedy=tr("Try again later, or name a mirror with --mirror."),
            retryable=True,
        )
    return SourceError(
        ErrorId.SOURCE_REFUSED, what, where=where, remedy=tr("Open the URL by hand to see what the server wants.")
    )


def _cut(what: str, url: str) -> SourceError:
    return SourceError(
        ErrorId.SOURCE_CUT,
        what,
        where=redact(url),
        remedy=tr("Run the command again; the download goes on where it stopped."),
        retryable=True,
    )
