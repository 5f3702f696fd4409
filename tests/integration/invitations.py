"""A listener for tests: on loopback, with a clock of theirs, in a thread of its own."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bundler.site.invitation.inviting import invited
from bundler.site.invitation.join_message import JoinAnswer
from bundler.site.invitation.listener import Reception, opened_port, receive_edges
from bundler.site.invitation.use_log import USES, UseLog
from tests.fakes.host import MemoryHost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bundler.site.invitation.invitation_book import Ending
    from bundler.site.invitation.inviting import Invited

HERE = "127.0.0.1"
BUNDLE = "ab" * 32
WITHIN_S = 60


@dataclass(slots=True)
class Listening:
    """A listener that runs.

    Arguments:
        gives: what the edges get; replaced by tests.
        lines: what it showed.
    """

    invited: Invited
    master: MemoryHost
    port: int
    gives: Callable[[str], JoinAnswer]
    lines: list[str] = field(default_factory=list)
    endings: dict[str, Ending] = field(default_factory=dict)
    ended: threading.Event = field(default_factory=threading.Event)
    end_now: threading.Event = field(default_factory=threading.Event)
    shown: threading.Condition = field(default_factory=threading.Condition)

    @property
    def uses(self) -> list[str]:
        """The log, without times and addresses."""
        lines = self.master.files.get(USES, b"").decode().splitlines()
        return [line.split(" ", 2)[2] for line in lines]

    def give(self, host: str) -> JoinAnswer:
        """Return what an edge gets by now."""
        return self.gives(host)

    def wait_for(self, outcome: str, times: int = 1) -> None:
        """Wait until it has shown an outcome so often."""

        def is_shown() -> bool:
            return sum(line.endswith(outcome) for line in self.lines) >= times

        with self.shown:
            assert self.shown.wait_for(is_shown, WITHIN_S), (outcome, self.lines[-5:])

    def say(self, line: str) -> None:
        """Take a line of the listener."""
        with self.shown:
            self.lines.append(line)
            self.shown.notify_all()

    def plain(self, address: str = HERE) -> socket.socket:
        """Return a connection without TLS, from an address of loopback."""
        return socket.create_connection((HERE, self.port), WITHIN_S, source_address=(address, 0))

    def channel(self, address: str = HERE, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLSocket:
        """Return a connection with TLS that trusts anybody."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = min(newest, ssl.TLSVersion.TLSv1_2)
        context.maximum_version = newest
        return context.wrap_socket(self.plain(address))


def answer(host: str) -> JoinAnswer:
    """Return what an edge gets."""
    return JoinAnswer(host, f"token-of-{host}", {"version": 1}, bundle=BUNDLE)


@contextmanager
def listening(hosts: Sequence[str] = ("edge1",), *, for_s: float = 900.0) -> Iterator[Listening]:
    """Listen until the block ends, or all hosts have come."""
    master = MemoryHost()
    made = invited(hosts, master.elapsed() + for_s)
    place = opened_port(HERE, 0)
    running = Listening(made, master, place.getsockname()[1], answer)
    reception = Reception(
        host=master,
        certificate=made.certificate,
        book=made.book,
        gives=running.give,
        bundle=BUNDLE,
        log=UseLog(master, running.port),
        say=running.say,
        ends_early=running.end_now.is_set,
    )

    def run() -> None:
        try:
            running.endings.update(receive_edges(reception, place))
        finally:
            running.ended.set()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield running
    finally:
        running.end_now.set()
        thread.join(WITHIN_S)
    assert not thread.is_alive()
