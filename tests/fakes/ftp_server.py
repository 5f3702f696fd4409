"""An FTP upstream on loopback that misbehaves on request: pyftpdlib, with commands taken away and transfers cut."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler
from pyftpdlib.servers import FTPServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER, PASSWORD = "operator", "s3cret"
POLL_S = 0.01


@dataclass(slots=True)
class FaultyFtp:
    """A running server.

    Arguments:
        cuts: after how many bytes the next transfers are cut, in order; later ones are left alone.
        refusals: what the next `RETR` are answered instead of a transfer, in order; "" is no answer at all.
        asked: every command as it arrived.
        sent: the bytes that each transfer sent.
    """

    port: int
    cuts: list[int] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"ftp://127.0.0.1:{self.port}/{path}"

    def commands(self, name: str) -> list[str]:
        """Return what was asked by one command."""
        return [line for line in self.asked if line.partition(" ")[0] == name]


@contextmanager
def faulty_ftp(root: Path, *, without: tuple[str, ...] = (), anonymous: bool = True) -> Iterator[FaultyFtp]:
    """Serve a directory.

    Arguments:
        without: commands that the server does not know.
        anonymous: whether anybody may log in, beside USER.
    """
    logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(root), perm="elr")
    if anonymous:
        authorizer.add_anonymous(str(root), perm="elr")
    served = FaultyFtp(0)

    class Data(DTPHandler):
        budget: int | None = None

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.budget = served.cuts.pop(0) if served.cuts else None
            served.sent.append(0)

        def send(self, data: bytes) -> int:
            allowed = data if self.budget is None else data[: self.budget]
            sent = int(super().send(allowed)) if allowed else 0
            served.sent[-1] += sent
            if self.budget is not None:
                self.budget -= sent
                if self.budget == 0:
                    self.cmd_channel.close()
            return sent

    class Control(FTPHandler):
        proto_cmds: ClassVar = {name: what for name, what in FTPHandler.proto_cmds.items() if name not in without}
        use_sendfile = False
        auth_failed_timeout = 0
        dtp_handler = Data

        def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
            served.asked.append(line)
            super().pre_process_command(line, cmd, arg)

        def ftp_RETR(self, file: str) -> None:  # noqa: N802 - the name that pyftpdlib calls
            if not served.refusals:
                super().ftp_RETR(file)
            elif refusal := served.refusals.pop(0):
                self.respond(refusal)

    Control.authorizer = authorizer
    server = FTPServer(("127.0.0.1", 0), Control)
    served.port = server.address[1]
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            server.serve_forever(timeout=POLL_S, blocking=False)
        server.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield served
    finally:
        stop.set()
        thread.join()
