"""The host that this process runs on. The only part of its package that starts programs and opens connections."""

from __future__ import annotations

import email.utils
import hashlib
import http.client
import os
import platform
import socket
import ssl
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.child_process import PrintedError, PrintsTooMuchError, TakesTooLongError, run_program
from bundler.directory_walk import make_directories, open_file_at, opened_directory, unlink_at
from bundler.durable import storage_errors
from bundler.final_response import FinalResponse
from bundler.host import proc_files
from bundler.host.interface import (
    COMMAND_WITHIN_S,
    NO_ENVIRONMENT,
    CommandResult,
    FileOwner,
    FileStatus,
    HttpAnswer,
    ListeningPort,
    Process,
)
from bundler.lock_file import locked
from bundler.partial_file import partial_file
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

ANSWER_TIMEOUT_S = 5.0
# edge.sh has a line for each file of a bundle
MAX_ANSWER_BYTES = 32 * 1024 * 1024
# a log of a day may be longer; what asks for one asks for its end
MAX_OUTPUT_BYTES = 16 * 1024 * 1024
_PIECE_BYTES = 1024 * 1024
_NEW_FILE = 0o644
_NO_PROGRAM, _TOO_LONG = 127, 124
# daemons' tools lie in sbin, which is not on every user's path
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LABEL = "security.selinux"
_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "link"}


class LocalHost:
    """See `interface.Host`."""

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] = NO_ENVIRONMENT,
        within_s: float = COMMAND_WITHIN_S,
        stop_at: bytes = b"",
        shows_progress: bool = False,
    ) -> CommandResult:
        """Run a program in the locale C, in a process group of its own."""
        try:
            ended = run_program(
                list(command),
                environment={**os.environ, "LC_ALL": "C", "PATH": _PATH, **environment},
                within_s=within_s,
                max_bytes=MAX_OUTPUT_BYTES,
                stdin=stdin,
                own_group=True,
                stop_at=stop_at,
                shows_stderr=shows_progress,
            )
        except TakesTooLongError:
            return CommandResult(_TOO_LONG, "", tr("it was still running after {within_s:.0f} s", within_s=within_s))
        except PrintsTooMuchError:
            return CommandResult(
                _TOO_LONG, "", tr("it printed more than {max_output_bytes:,} bytes", max_output_bytes=MAX_OUTPUT_BYTES)
            )
        except PrintedError as error:
            return CommandResult(_TOO_LONG, _text(error.ended.stdout), _text(error.ended.stderr), stopped=True)
        except OSError as error:
            return CommandResult(_NO_PROGRAM, "", f"{command[0]}: {error.strerror or error}")
        return CommandResult(ended.status, _text(ended.stdout), _text(ended.stderr))

    def read(self, path: str) -> bytes | None:
        """Return a file's content."""
        with storage_errors(path):
            try:
                return Path(path).read_bytes()
            except FileNotFoundError:
                return None

    def write(self, path: str, data: bytes, mode: int | None = None, owner: FileOwner | None = None) -> None:
        """Replace a file; its name appears with all of its content."""
        self._replace(path, (data,), mode, owner)

    def copy(self, source: str, path: str, mode: int) -> None:
        """Copy a file piece by piece."""
        with storage_errors(source), Path(source).open("rb") as stream:
            self._replace(path, iter(lambda: stream.read(_PIECE_BYTES), b""), mode, None)

    def digest(self, path: str) -> str:
        """Read it piece by piece."""
        with storage_errors(path):
            try:
                with Path(path).open("rb") as stream:
                    return hashlib.file_digest(stream, "sha256").hexdigest()
            except FileNotFoundError:
                return ""

    def status(self, path: str) -> FileStatus | None:
        """Ask for the path itself."""
        with storage_errors(path):
            try:
                found = os.lstat(path)
            except (FileNotFoundError, NotADirectoryError):
                return None
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "other")
        mode = stat.S_IMODE(found.st_mode)
        return FileStatus(kind, mode, found.st_uid, found.st_gid, found.st_size, found.st_dev, found.st_nlink)

    def resolved(self, path: str) -> str:
        """Follow links at the path's end."""
        return os.path.realpath(path) if Path(path).is_symlink() else path

    def names(self, path: str) -> tuple[str, ...]:
        """List a directory."""
        with storage_errors(path):
            try:
                return tuple(sorted(entry.name for entry in Path(path).iterdir()))
            except (FileNotFoundError, NotADirectoryError):
                return ()

    def remove(self, path: str) -> None:
        """Remove a file."""
        with storage_errors(path):
            unlink_at(Path(path))

    def make_directory(self, path: str, mode: int) -> None:
        """Make it with exactly this mode, and those above it as everybody's to read."""
        with storage_errors(path):
            make_directories(Path(path).parent)
            make_directories(Path(path), mode)

    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        directory = Path(path)
        with suppress(OSError), opened_directory(directory.parent) as above:
            os.rmdir(directory.name, dir_fd=above)

    def exists(self, path: str) -> bool:
        """Tell whether there is anything."""
        return os.path.lexists(path)

    def free_bytes(self, path: str) -> int:
        """Ask the file system of the nearest directory that is there."""
        place = Path(path)
        while not place.is_dir():
            place = place.parent
        with storage_errors(path):
            found = os.statvfs(place)
        return found.f_bavail * found.f_frsize

    def locked(self, path: str) -> AbstractContextManager[bool]:
        """Lock by flock(2), which ends with the process."""
        with storage_errors(path):
            make_directories(Path(path).parent)
        return locked(Path(path), wait=False, remove=True)

    def is_root(self) -> bool:
        """Ask the kernel."""
        return os.geteuid() == 0

    def name(self) -> str:
        """Ask the kernel."""
        return socket.gethostname()

    def machine(self) -> str:
        """Ask the kernel."""
        return platform.machine()

    def processes(self) -> tuple[Process, ...]:
        """Read /proc."""
        return proc_files.processes()

    def listening(self) -> tuple[ListeningPort, ...]:
        """Read /proc."""
        return proc_files.listening()

    def connected(self, port: int) -> bool:
        """Read /proc."""
        return proc_files.connected(port)

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
        connection.response_class = FinalResponse
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            date = _seconds(answer.headers.get("Date", ""))
            return HttpAnswer(answer.status, answer.read(MAX_ANSWER_BYTES).decode(errors="replace"), date)
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def now(self) -> float:
        """Ask the clock."""
        return time.time()

    def elapsed(self) -> float:
        """Ask the clock that nobody sets."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def _replace(
        self, path: str, pieces: Iterator[bytes] | tuple[bytes], mode: int | None, owner: FileOwner | None
    ) -> None:
        file = Path(path)
        with storage_errors(path):
            # a link stays
            file = Path(self.resolved(path))
            make_directories(file.parent)
            before = _regular(file)
        if mode is None:
            # without bits that give rights to who runs it
            mode = _NEW_FILE if before is None else before.st_mode & 0o777
        if owner is None and before is not None:
            owner = FileOwner(before.st_uid, before.st_gid)
        with partial_file(file, lambda: None, mode=mode) as partial:
            if owner is not None and owner != (os.geteuid(), os.getegid()):
                partial.belong_to(*owner)
            if before is not None and (label := _label(file)):
                partial.set_attribute(_LABEL, label)
            for piece in pieces:
                partial.write(piece)
            partial.sync()
            partial.commit()


def _seconds(date: str) -> float | None:
    # a year may have any number of digits
    with suppress(ValueError, OverflowError, OSError):
        return email.utils.parsedate_to_datetime(date).timestamp()
    return None


def _text(printed: bytes) -> str:
    return printed.decode(errors="replace")


def _regular(file: Path) -> os.stat_result | None:
    try:
        found = file.lstat()
    except FileNotFoundError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _label(file: Path) -> bytes:
    """Return a file's SELinux label; b"" where there is none."""
    with suppress(OSError):
        descriptor = open_file_at(file, os.O_RDONLY)
        try:
            return os.getxattr(descriptor, _LABEL)
        finally:
            os.close(descriptor)
    return b""
