"""Who fetched what: one line per answer, the same facts for HTTP and FTP, as combined text or as JSON.

Lines are gathered and written whole, so that the workers can share one file (O_APPEND, write(2)).
"""

from __future__ import annotations

import json
import os
import select
import stat
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from mirror.worker.operator_log import log_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.settings import LogFormat

# appended writes of one call stay together in a file; gathering more would only cost memory
_GATHER_BYTES = 64 * 1024
_MAX_TEXT_CHARACTERS = 2048
_REPORT_EVERY_S = 60.0


class Transfer(NamedTuple):
    """One answer.

    Arguments:
        protocol: `http`, `https`, `ftp` or `ftps`.
        time_s: when it ended, in seconds since the epoch.
        remote: the client's address.
        user: as logged in, "" for nobody.
        bundle: short id of the bundle that the file is from, "" for none.
        method: `GET`, `RETR`, …
        path: as asked for, decoded, beginning with a slash.
        range: `first-last` of the bytes that were asked for, "" for all.
        status: HTTP status, or FTP reply code.
        sent_bytes: of content.
        complete: False when the client or the disk cut it.
        referer, agent: as the client says, "" for nothing.
    """

    protocol: str
    time_s: float
    remote: str
    user: str
    bundle: str
    method: str
    path: str
    range: str
    status: int
    sent_bytes: int
    complete: bool
    referer: str = ""
    agent: str = ""


def _safe(text: str) -> str:
    """Return a client's text as one that can break neither a line nor a terminal."""
    shown = text[:_MAX_TEXT_CHARACTERS]
    if shown.isprintable() and '"' not in shown and "\\" not in shown:
        return shown
    return "".join(
        character if character.isprintable() and character not in '"\\' else _escaped(character) for character in shown
    )


def _escaped(character: str) -> str:
    # a byte that was no UTF-8 as itself, any other surrogate as it would be encoded
    errors = "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", errors))


def _unspaced(text: str) -> str:
    # outside of quotes a blank would move every later field
    return _safe(text).replace(" ", "_") or "-"


def combined_line(transfer: Transfer) -> str:
    """Return the line as Apache's `combined` format has it, followed by bundle, range and outcome."""
    when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(transfer.time_s))
    who = f"{_unspaced(transfer.remote)} - {_unspaced(transfer.user)}"
    request = f"{_safe(transfer.method)} {_safe(transfer.path) or '-'} {transfer.protocol}"
    client = f'"{_safe(transfer.referer) or "-"}" "{_safe(transfer.agent) or "-"}"'
    outcome = "complete" if transfer.complete else "cut"
    return (
        f'{who} [{when}] "{request}" {transfer.status} {transfer.sent_bytes} {client} '
        f"bundle={transfer.bundle or '-'} range={_unspaced(transfer.range)} {outcome}\n"
    )


def json_line(transfer: Transfer) -> str:
    """Return the line as one JSON object; its keys never change their meaning."""
    second = int(transfer.time_s)
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
    return (
        json.dumps(
            {
                "time": f"{when}.{int((transfer.time_s - second) * 1000):03d}Z",
                "protocol": transfer.protocol,
                "remote": transfer.remote,
                "user": transfer.user[:_MAX_TEXT_CHARACTERS],
                "bundle": transfer.bundle,
                "method": transfer.method[:_MAX_TEXT_CHARACTERS],
                "path": transfer.path[:_MAX_TEXT_CHARACTERS],
                "range": transfer.range[:_MAX_TEXT_CHARACTERS],
                "status": transfer.status,
                "bytes": transfer.sent_bytes,
                "complete": transfer.complete,
                "referer": transfer.referer[:_MAX_TEXT_CHARACTERS],
                "agent": transfer.agent[:_MAX_TEXT_CHARACTERS],
            }
        )
        + "\n"
    )


_FORMATS: dict[LogFormat, Callable[[Transfer], str]] = {"combined": combined_line, "json": json_line}


def _is_pipe(descriptor: int | None) -> bool:
    return descriptor is not None and not stat.S_ISREG(os.fstat(descriptor).st_mode)


class AccessLog:
    """Takes answers and writes their lines.

    Arguments:
        descriptor: open for appending, or None to write nothing; owned by the log.
        form: which of the two forms.
        count_lost: is given the number of lines whenever some could not be written.
    """

    def __init__(
        self, descriptor: int | None, form: LogFormat, count_lost: Callable[[int], None] = lambda _: None
    ) -> None:
        self._descriptor = descriptor
        self._pipe = _is_pipe(descriptor)
        self._line = _FORMATS[form]
        self._gathered: deque[bytes] = deque()
        self._gathered_bytes = 0
        self._torn = False
        self._count_lost = count_lost
        self._lost = 0
        self._report_at_s = 0.0

    @property
    def wanted(self) -> bool:
        """Whether lines go anywhere; without it, callers need not make a `Transfer`."""
        return self._descriptor is not None

    def add(self, transfer: Transfer) -> None:
        """Take one answer; its line is written with the next `flush`, or when many have gathered."""
        if self._descriptor is None:
            return
        line = self._line(transfer).encode("utf-8", "backslashreplace")
        self._gathered.append(line)
        self._gathered_bytes += len(line)
        if self._gathered_bytes >= _GATHER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered; to be called a few times a second. A log that cannot be written stops nothing."""
        while self._descriptor is not None and self._gathered:
            if self._pipe and not _takes_more(self._descriptor):
                # whoever reads it is slow: some lines are kept for later, never more than that
                if self._gathered_bytes >= _GATHER_BYTES:
                    self._lose(self._next_lines(self._gathered_bytes), "its reader is too slow")
                return
            # other writers' lines may come between those of two calls, never into one of them (pipe(7), PIPE_BUF)
            self._write(self._descriptor, self._next_lines(select.PIPE_BUF if self._pipe else self._gathered_bytes))

    def reopen(self, descriptor: int) -> None:
        """Go on in another file, after what has gathered went to the old one."""
        self.flush()
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._pipe = _is_pipe(descriptor)
        self._torn = False

    def _next_lines(self, max_bytes: int) -> bytes:
        """Take whole lines, as many as fit and at least one."""
        taken = [self._gathered.popleft()]
        size = len(taken[0])
        while self._gathered and size + len(self._gathered[0]) <= max_bytes:
            size += len(self._gathered[0])
            taken.append(self._gathered.popleft())
        self._gathered_bytes -= size
        return b"".join(taken)

    def _write(self, descriptor: int, data: bytes) -> None:
        # a line that a full disk has torn must not swallow the next one
        data = b"\n" * self._torn + data
        try:
            while data:
                written = os.write(descriptor, data)
                self._torn = data[written - 1 : written] != b"\n"
                data = data[written:]
        except OSError as error:
            # a full disk or a closed pipe: these lines are lost, serving goes on, and the next ones are tried again
            self._lose(data, error.strerror or str(error))

    def _lose(self, lines: bytes, reason: str) -> None:
        """Count lines that nobody will read, and report them: the first at once, then their sum once a minute."""
        # of a torn line the rest is lost, and the newline that is sent before the next one is none
        count = lines.lstrip(b"\n").count(b"\n")
        self._count_lost(count)
        self._lost += count
        if time.monotonic() >= self._report_at_s:
            log_line(f"{self._lost} lines of the access log are lost: {reason}")
            self._lost, self._report_at_s = 0, time.monotonic() + _REPORT_EVERY_S


def _takes_more(descriptor: int) -> bool:
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    return bool(ready.poll(0))
