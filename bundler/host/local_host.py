"""The host that this process runs on. The only part of its package that starts programs and opens connections."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.child_process import PrintsTooMuchError, TakesTooLongError, run_program
from bundler.directory_walk import make_directories, opened_directory, unlink_at
from bundler.durable import storage_errors
from bundler.host.interface import CommandResult, HttpAnswer
from bundler.partial_file import write_durably

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND_TIMEOUT_S = 300
ANSWER_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 1024 * 1024
# a log of a day may be longer; what asks for one asks for its end
MAX_OUTPUT_BYTES = 16 * 1024 * 1024
_NEW_FILE, _PERMISSIONS = 0o644, 0o777
_NO_PROGRAM, _TOO_LONG = 127, 124
# daemons' tools lie in sbin, which is not on every user's path
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LocalHost:
    """See `interface.Host`."""

    def run(self, command: Sequence[str]) -> CommandResult:
        """Run a program in the locale C."""
        try:
            ended = run_program(
                list(command),
                environment={**os.environ, "LC_ALL": "C", "PATH": _PATH},
                within_s=COMMAND_TIMEOUT_S,
                max_bytes=MAX_OUTPUT_BYTES,
                own_group=True,
            )
        except TakesTooLongError:
            return CommandResult(_TOO_LONG, "", f"it was still running after {COMMAND_TIMEOUT_S} s")
        except PrintsTooMuchError:
            return CommandResult(_TOO_LONG, "", f"it printed more than {MAX_OUTPUT_BYTES:,} bytes")
        except OSError as error:
            return CommandResult(_NO_PROGRAM, "", error.strerror or str(error))
        return CommandResult(ended.status, _text(ended.stdout), _text(ended.stderr))

    def read(self, path: str) -> bytes | None:
        """Return a file's content."""
        with storage_errors(path):
            try:
                return Path(path).read_bytes()
            except FileNotFoundError:
                return None

    def write(self, path: str, data: bytes, mode: int | None = None) -> None:
        """Replace a file; its name appears with all of its content."""
        file = Path(path)
        with storage_errors(path):
            make_directories(file.parent)
            if mode is None:
                mode = _mode_of(file)
        write_durably(file, data, mode=mode)

    def remove(self, path: str) -> None:
        """Remove a file."""
        with storage_errors(path):
            unlink_at(Path(path))

    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        directory = Path(path)
        with suppress(OSError), opened_directory(directory.parent) as above:
            os.rmdir(directory.name, dir_fd=above)

    def exists(self, path: str) -> bool:
        """Tell whether there is anything."""
        return os.path.lexists(path)

    def is_root(self) -> bool:
        """Ask the kernel."""
        return os.geteuid() == 0

    def listens(self, address: str, port: int) -> bool:
        """Open a connection and close it."""
        try:
            socket.create_connection((address, port), ANSWER_TIMEOUT_S).close()
        except OSError:
            return False
        return True

    def http_get(self, address: str, port: int, path: str, *, tls: bool) -> HttpAnswer | None:
        """Ask over loopback, where no certificate has this host's name: who answers is the operator's own."""
        connection: http.client.HTTPConnection
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = http.client.HTTPSConnection(address, port, timeout=ANSWER_TIMEOUT_S, context=context)
        else:
            connection = http.client.HTTPConnection(address, port, timeout=ANSWER_TIMEOUT_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return HttpAnswer(answer.status, answer.read(MAX_ANSWER_BYTES).decode(errors="replace"))
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def _text(printed: bytes) -> str:
    return printed.decode(errors="replace")


def _mode_of(file: Path) -> int:
    """Return the mode of a regular file, without bits that give rights to who runs it; that of a new one otherwise."""
    try:
        status = file.lstat()
    except FileNotFoundError:
        return _NEW_FILE
    return status.st_mode & _PERMISSIONS if stat.S_ISREG(status.st_mode) else _NEW_FILE
