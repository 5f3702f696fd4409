"""Who fetched what: one line per answer, the same facts for HTTP and FTP, as combined text or as JSON.

Lines are gathered and written whole, so that the workers can share one file (O_APPEND, write(2)).
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.settings import LogFormat

# POSIX keeps appended writes of one call together; longer ones would only cost memory
_GATHER_BYTES = 64 * 1024
_MAX_TEXT_CHARACTERS = 2048


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
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def combined_line(transfer: Transfer) -> str:
    """Return the line as Apache's `combined` format has it, followed by bundle, range and outcome."""
    when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(transfer.time_s))
    # a blank in a name would move every later field
    user = _safe(transfer.user).replace(" ", "_") or "-"
    return (
        f'{transfer.remote} - {user} [{when}] "{_safe(transfer.method)} {_safe(transfer.path)} {transfer.protocol}" '
        f'{transfer.status} {transfer.sent_bytes} "{_safe(transfer.referer) or "-"}" "{_safe(transfer.agent) or "-"}" '
        f"bundle={transfer.bundle or '-'} range={_safe(transfer.range) or '-'} "
        f"{'complete' if transfer.complete else 'cut'}\n"
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
                "user": transfer.user,
                "bundle": transfer.bundle,
                "method": transfer.method[:_MAX_TEXT_CHARACTERS],
                "path": transfer.path[:_MAX_TEXT_CHARACTERS],
                "range": transfer.range,
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


class AccessLog:
    """Takes answers and writes their lines.

    Arguments:
        descriptor: open for appending, or None to write nothing; owned by the log.
        form: which of the two forms.
    """

    def __init__(self, descriptor: int | None, form: LogFormat) -> None:
        self._descriptor = descriptor
        self._line = _FORMATS[form]
        self._gathered: list[str] = []
        self._gathered_bytes = 0

    @property
    def wanted(self) -> bool:
        """Whether lines go anywhere; without it, callers need not make a `Transfer`."""
        return self._descriptor is not None

    def add(self, transfer: Transfer) -> None:
        """Take one answer; its line is written with the next `flush`, or when many have gathered."""
        if self._descriptor is None:
            return
        line = self._line(transfer)
        self._gathered.append(line)
        self._gathered_bytes += len(line)
        if self._gathered_bytes >= _GATHER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered; to be called a few times a second. A log that cannot be written stops nothing."""
        if self._descriptor is None or not self._gathered:
            return
        data = "".join(self._gathered).encode("utf-8", "surrogateescape")
        self._gathered.clear()
        self._gathered_bytes = 0
        try:
            os.write(self._descriptor, data)
        except OSError:
            # a full disk or a closed pipe: serving goes on, and the next lines are tried again
            return

    def reopen(self, descriptor: int) -> None:
        """Go on in another file, after what has gathered went to the old one."""
        self.flush()
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = descriptor
