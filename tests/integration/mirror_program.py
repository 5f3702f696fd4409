"""The real `mirror serve`, started by a test on a port of its own choice on loopback, and ended by its pid.

with mirror(root, "--workers", "2") as running:
    running.url, running.port, running.told("reloaded"), running.signal(SIGHUP)
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LOOPBACK = "127.0.0.1"
PROGRAM = Path(sys.executable).with_name("mirror")
# nothing takes that long, except where something is wrong
PATIENCE_S = 60.0
POLL_S = 0.02


class _Stream:
    """What a process says on one of its streams, read as it comes."""

    def __init__(self, stream: Any) -> None:
        self.lines: list[str] = []
        self.changed = threading.Condition()
        self.ended = False
        self._stream = stream
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._stream:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def wait_for(self, text: str, times: int = 1) -> str:
        """Return the line that has this text, the n-th of them."""

        def found() -> list[str]:
            return [line for line in self.lines if text in line]

        with self.changed:
            self.changed.wait_for(lambda: len(found()) >= times or self.ended, PATIENCE_S)
            assert len(found()) >= times, f"{text!r} was not said, but:\n" + "\n".join(self.lines)
            return found()[times - 1]


class Mirror:
    """A running mirror."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._said = _Stream(process.stdout)
        self._told = _Stream(process.stderr)
        self.port = self.ftp_port = 0
        self.tls = False

    def wait_until_ready(self) -> None:
        """Wait for the announcement, and learn the port from it."""
        try:
            self._said.wait_for("kill -HUP")
        except AssertionError as error:
            raise AssertionError("\n".join([str(error), *self._told.lines])) from None
        matched = re.search(r"^HTTP  (https?)://[^/ ]*?:([0-9]+)/", "\n".join(self._said.lines), re.MULTILINE)
        if matched is not None:
            self.tls, self.port = matched[1] == "https", int(matched[2])
        matched = re.search(r"^FTP   ftp://[^/ ]*?:([0-9]+)/", "\n".join(self._said.lines), re.MULTILINE)
        if matched is not None:
            self.ftp_port = int(matched[1])

    @property
    def url(self) -> str:
        """The mirror's URL, without a slash at its end."""
        return f"http{'s' if self.tls else ''}://{LOOPBACK}:{self.port}"

    @property
    def announcement(self) -> str:
        """What it said when it was ready."""
        return "\n".join(self._said.lines)

    def said(self, text: str) -> str:
        """Wait for a line on stdout with this text, and return it."""
        return self._said.wait_for(text)

    def said_times(self, text: str, times: int) -> str:
        """Wait for the n-th line on stdout with this text, and return it."""
        return self._said.wait_for(text, times)

    def told(self, text: str, times: int = 1) -> str:
        """Wait for a line on stderr with this text, and return it."""
        return self._told.wait_for(text, times)

    def told_times(self, text: str) -> int:
        """Return how many lines on stderr have this text, up to now."""
        return sum(text in line for line in self._told.lines)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the supervisor."""
        self.process.send_signal(number)

    def reload(self, times: int = 1) -> None:
        """Reload, and wait until every worker has."""
        self.signal(signal.SIGHUP)
        self.told("mirror: reloaded", times)

    def workers(self) -> list[int]:
        """Return the pids of the workers that live now."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def wait(self) -> int:
        """Wait for its end; returns the exit code."""
        return self.process.wait(PATIENCE_S)

    def health(self) -> tuple[int, dict[str, Any]]:
        """Return what `/-/health` says."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/health") as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def metric(self, name: str) -> int:
        """Return one number of `/-/metrics`, given with its labels."""
        with urllib.request.urlopen(f"{self.url}/-/metrics") as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"{name} "):
                    return int(line.rpartition(" ")[2])
        raise AssertionError(f"there is no metric {name}")


def command(root: Path, *options: str) -> list[str]:
    """Return the command line: HTTP on any free port of loopback, no FTP, one worker unless the options say more."""
    given = [str(PROGRAM), "serve", "--root", str(root), "--http", f"{LOOPBACK}:0", "--ftp", "off"]
    return [*given, *([] if "--workers" in options else ["--workers", "1"]), *options]


@contextmanager
def mirror(
    root: Path, *options: str, env: dict[str, str] | None = None, started_as: Sequence[str] = ()
) -> Iterator[Mirror]:
    """Run a mirror until the block ends; it has to end by itself when it is asked to.

    Arguments:
        started_as: the whole command line instead of the usual one.
    """
    process = subprocess.Popen(
        started_as or command(root, *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    )  # fmt: skip
    running = Mirror(process)
    try:
        running.wait_until_ready()
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise


def refused(root: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run a mirror that cannot begin, and return what it said."""
    return subprocess.run(command(root, *options), capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def eventually(holds: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    deadline_s = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline_s, f"it never came to be that {what}"
        pause.wait(POLL_S)


def free_port() -> int:
    """Return a port that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def is_refused(port: int) -> bool:
    """Tell whether nobody listens on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        # the listener went away between the two halves of the handshake: the next one will be refused
        return False
    return False


def is_open(pid: int, file: Path) -> bool:
    """Tell whether a process has a file open, under the name that it has now."""
    return any(descriptor.readlink() == file for descriptor in Path(f"/proc/{pid}/fd").iterdir())
