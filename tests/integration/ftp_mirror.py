"""One FTP worker of the mirror in a process of its own, made by hand: a test is its supervisor.

with ftp_worker(root) as mirror:
    mirror.client().retrlines("LIST")
"""

from __future__ import annotations

import ftplib
import os
import select
import signal
import socket
import sys
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mirror.ftp.limits import Limits
from mirror.ftp.worker import run
from mirror.settings import Settings
from mirror.shared.addresses import AddressTable
from mirror.shared.bandwidth import Bandwidth
from mirror.shared.counters import Slot, shared_counters
from mirror.shared.ftp_shares import FtpShares
from mirror.tree.roots import open_root, open_share
from mirror.worker.access_log import AccessLog
from mirror.worker.control import ControlChannel, KeyFiles, Message, control_pair
from mirror.worker.serving import Loader
from mirror.worker.worker import Worker
from tests.unit.mirror.bundle_tree import packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WITHIN_S = 30
# quick where a test has to see the end of patience; long where it must not
SHORT = Limits(login_s=0.5, idle_s=0.5, stall_s=0.5, connect_s=0.5, failure_delay_s=0.05, sweep_s=0.05)
USUAL = Limits(failure_delay_s=0.05, sweep_s=0.05)


@dataclass
class FtpWorkerProcess:
    """A running worker.

    Arguments:
        slot: its counters, shared with it.
        log: the access log's file.
        errors: what it says on stderr.
        control: the supervisor's end of its line.
    """

    pid: int
    host: str
    port: int
    slot: Slot
    log: Path
    errors: Path
    control: ControlChannel
    messages: list[Message] = field(default_factory=list)
    ended: bool = False

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ftp://{host}:{self.port}"

    def client(self) -> ftplib.FTP:
        """Return a client that has logged in."""
        client = self.stranger()
        client.login()
        return client

    def stranger(self) -> ftplib.FTP:
        """Return a client that has not."""
        client = ftplib.FTP()  # noqa: S321 - what is tested
        client.connect(self.host, self.port, timeout=WITHIN_S)
        return client

    def raw(self) -> socket.socket:
        """Return a bare connection, whose greeting has been read."""
        connection = socket.create_connection((self.host, self.port), timeout=WITHIN_S)
        assert connection.recv(1000).startswith(b"220 ")
        return connection

    def expect(self, word: str) -> Message:
        """Wait for a word of the worker."""
        until = time.monotonic() + WITHIN_S
        while time.monotonic() < until:
            for message in self.messages:
                if message.word == word:
                    self.messages.remove(message)
                    return message
            select.select([self.control], [], [], 1)
            self.messages += self.control.receive()
            assert not self.control.closed or self.messages, f"the worker has ended: {self.errors.read_text()}"
        raise AssertionError(f"the worker never sent {word}")

    def reload(self, root: Path, generation: int, key_files: KeyFiles | None = None) -> None:
        """Have it take over what lies below its root now, as the supervisor does."""
        with packed(root) as descriptor:
            message = Message("reload", key_files=key_files or KeyFiles(), generation=generation, descriptor=descriptor)
            self.control.send(message)

    def descriptors(self) -> int:
        """Return how many descriptors it has open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def stderr(self) -> str:
        """Return its stderr so far."""
        return self.errors.read_text()


def wait_until(true: Callable[[], object], what: str = "") -> None:
    """Wait for a condition; AssertionError when it never holds."""
    until = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < until, f"never came true: {what or true}"
        time.sleep(0.005)


def listening(host: str = "127.0.0.1") -> socket.socket:
    """Return a listening socket as the supervisor makes them; `::` takes IPv4 as well."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if ":" in host:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(host != "::"))
    listener.bind((host, 0))
    listener.listen(100)
    return listener


@contextmanager
def ftp_worker(
    root: Path,
    *,
    host: str = "127.0.0.1",
    limits: Limits = USUAL,
    key_files: KeyFiles | None = None,
    listener: socket.socket | None = None,
    settings: Settings | None = None,
) -> Iterator[FtpWorkerProcess]:
    """Start a worker on a root, and end it with the block; it must end by itself, and without a word of a bug.

    Arguments:
        settings: everything but the root.
        listener: several workers may share a port.
    """
    chosen = settings or Settings(root)
    listener = listener or listening(host)
    counters = shared_counters(["ftp"])
    scratch = root.parent / f"{root.name}-worker-{os.urandom(4).hex()}"
    scratch.mkdir()
    log, errors = scratch / "access.log", scratch / "stderr"
    addresses = AddressTable(1, chosen.ftp_connections)
    shares = FtpShares.of(1, chosen.passive_ports)
    bandwidth = Bandwidth(chosen.rate_limit) if chosen.rate_limit else None
    ours, theirs = control_pair()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            ours.close()
            os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT, 0o600), 2)
            sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            loader = Loader(open_root(root), [open_share(share) for share in chosen.shares], chosen)
            descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            worker = Worker(
                number=0,
                listeners=(listener,),
                settings=chosen,
                counters=counters,
                slot=counters.slots[0],
                bandwidth=bandwidth,
                addresses=addresses,
                ftp_shares=shares,
                control=theirs,
                loader=loader,
                serving=loader.load(key_files or KeyFiles(), 1),
                log=AccessLog(descriptor, "json"),
            )
            run(worker, limits)
            code = 0
        except BaseException:  # noqa: BLE001 - the end of the process
            traceback.print_exc()
        finally:
            os._exit(code)
    theirs.close()
    reached = "127.0.0.1" if host == "::" else host
    mirror = FtpWorkerProcess(pid, reached, listener.getsockname()[1], counters.slots[0], log, errors, ours)
    try:
        mirror.expect("ready")
        yield mirror
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    finally:
        listener.close()
    end(mirror)


def end(mirror: FtpWorkerProcess) -> None:
    """Tell a worker to stop, wait for its end, and look at how it went; once."""
    if mirror.ended:
        return
    mirror.ended = True
    if not mirror.control.closed:
        mirror.control.send(Message("stop"))
    ended: list[tuple[int, int]] = []

    def over() -> bool:
        ended.append(os.waitpid(mirror.pid, os.WNOHANG))
        return ended[-1][0] != 0

    try:
        wait_until(over, "the worker's end")
    except AssertionError:
        os.kill(mirror.pid, signal.SIGKILL)
        os.waitpid(mirror.pid, 0)
        raise
    mirror.control.close()
    assert ended[-1][1] == 0, mirror.stderr()
    assert "Traceback" not in mirror.stderr()
