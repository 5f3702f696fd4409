"""The master's side: waits for the edges that were invited, and gives each what its code is worth.

One thread that waits for nobody: a client that says nothing, or too much, is closed; of too many, the oldest one of the
address that has most.

What is given, and the token in it, is made by a function that is handed in, at the moment when a code was shown.
"""

from __future__ import annotations

import selectors
import socket
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import BundlerError, ErrorId, SiteError
from bundler.site.invitation.edge_connection import EdgeConnection
from bundler.site.invitation.join_message import JoinRefusal, JoinRequest
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.host.interface import Host
    from bundler.site.invitation.invitation_book import Ending, InvitationBook
    from bundler.site.invitation.join_message import JoinAnswer
    from bundler.site.invitation.listener_certificate import ListenerCertificate
    from bundler.site.invitation.use_log import UseLog

DEFAULT_PORT = 8090
MAX_CONNECTIONS = 64
# from a connection's beginning to the end of its request, and for reading the answer
REQUEST_WITHIN_S = 20.0
ANSWER_WITHIN_S = 60.0
_WAITING = 128
# the clock that is handed in may stand still, or jump
_LOOK_EVERY_S = 0.5
# what anybody can bring about without end
_NOISE = {"no-request", "too-slow", "crowded-out", "unknown-host", "used", "expired", "exhausted"}
_CODE_REFUSED = JoinRefusal(
    "code", tr("the code does not count for this host: wrong, used, expired, or another host's")
)


@dataclass(frozen=True, slots=True)
class Reception:
    """What a listener works with.

    Arguments:
        host: the master, for its clock.
        gives: returns what a host gets, by its name; raises BundlerError when that cannot be made now.
        bundle: id of the master's bundle; "" where there is none.
        say: is given a line for each use.
        log: where each use is kept.
        ends_early: asked now and then whether to end before all have come.
    """

    host: Host
    certificate: ListenerCertificate
    book: InvitationBook
    gives: Callable[[str], JoinAnswer]
    bundle: str
    log: UseLog
    say: Callable[[str], None]
    ends_early: Callable[[], bool] = lambda: False


def opened_port(address: str, port: int) -> socket.socket:
    """Return a socket that listens, on all addresses when that is ""; SiteError (SITE_LISTEN_FAILED)."""
    try:
        if address:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            found = socket.create_server((address, port), family=family, backlog=_WAITING)
        elif socket.has_dualstack_ipv6():
            found = socket.create_server(("", port), family=socket.AF_INET6, backlog=_WAITING, dualstack_ipv6=True)
        else:
            found = socket.create_server(("", port), backlog=_WAITING)
    except OSError as error:
        raise SiteError(
            ErrorId.SITE_LISTEN_FAILED,
            tr("cannot be listened on: {reason}", reason=error.strerror or error),
            where=tr("port {port}", port=port),
            remedy=tr("End what holds it (another `bundler site invite`?), or choose a port with --port."),
            step="",
        ) from error
    found.setblocking(False)
    return found


def receive_edges(reception: Reception, listening: socket.socket) -> dict[str, Ending]:
    """Answer until every invitation has ended, and return what became of each, by its host. Raises StorageError."""
    reception.log.keep(reception.book, reception.certificate.sha256)
    keeper = _Doorkeeper(reception, listening)
    try:
        while keeper.is_awaited() and not reception.ends_early():
            keeper.turn()
    finally:
        keeper.close()
        reception.log.forget()
    return reception.book.endings


class _Doorkeeper:
    def __init__(self, reception: Reception, listening: socket.socket) -> None:
        self._reception = reception
        self._listening = listening
        self._selector = selectors.DefaultSelector()
        self._selector.register(listening, selectors.EVENT_READ)
        # in the order in which they came
        self._clients: dict[int, EdgeConnection] = {}

    def is_awaited(self) -> bool:
        """Tell whether anybody may still come, or an answer is on its way; who comes later gets none."""
        reception = self._reception
        reception.book.expire(reception.host.elapsed())
        return reception.book.is_open or any(client.is_answered for client in self._clients.values())

    def turn(self) -> None:
        """Wait for something to do, for a moment, and do it."""
        for key, _ in self._selector.select(_LOOK_EVERY_S):
            if key.fileobj is self._listening:
                self._accept()
            elif (client := self._clients.get(key.fd)) is not None:
                self._proceed(client)
        now = self._reception.host.elapsed()
        for client in [one for one in self._clients.values() if now >= one.deadline_s]:
            self._end(client, "too-slow")

    def close(self) -> None:
        """Let everybody go."""
        for client in list(self._clients.values()):
            self._end(client, "")
        self._selector.close()
        self._listening.close()

    def _accept(self) -> None:
        try:
            plain, address, *_ = (*self._listening.accept(), None)
        except OSError:
            # it has left meanwhile, or there are no descriptors until others are closed
            return
        deadline = self._reception.host.elapsed() + REQUEST_WITHIN_S
        try:
            # one socket listens for both; an IPv4 address is shown as such
            shown = str(address[0]).removeprefix("::ffff:")
            client = EdgeConnection(plain, shown, self._reception.certificate.context, deadline)
        except OSError:
            plain.close()
            return
        if len(self._clients) >= MAX_CONNECTIONS:
            self._make_room()
        self._clients[client.fileno()] = client
        self._selector.register(client, selectors.EVENT_READ)
        self._proceed(client)

    def _make_room(self) -> None:
        """Close the oldest connection of the address that has most, so that one address never keeps out the others."""
        unanswered = [one for one in self._clients.values() if not one.is_answered] or list(self._clients.values())
        counts = Counter(client.neighbourhood for client in unanswered)
        most = max(counts.values())
        self._end(next(one for one in unanswered if counts[one.neighbourhood] == most), "crowded-out")

    def _proceed(self, client: EdgeConnection) -> None:
        wish = client.proceed()
        if wish == "asked":
            self._answer(client)
            wish = client.proceed()
        if wish == "sent":
            self._end(client, "sent" if client.host else "")
        elif wish in ("gone", "asked"):
            self._end(client, "cut" if client.is_answered else "no-request")
        else:
            self._selector.modify(client, selectors.EVENT_WRITE if wish == "write" else selectors.EVENT_READ)

    def _end(self, client: EdgeConnection, outcome: str) -> None:
        number = client.fileno()
        if number in self._clients:
            self._selector.unregister(client)
            del self._clients[number]
        client.close()
        if outcome:
            self._note(client.address, client.host, outcome)

    def _answer(self, client: EdgeConnection) -> None:
        reception, begin = self._reception, self._reception.host.elapsed()
        try:
            request = JoinRequest.decode(client.request)
        except ValueError:
            self._note(client.address, "", "no-request")
            client.answer_with(JoinRefusal("request", tr("this is no request of an edge")).encode(), client.deadline_s)
            return
        data = self._judged(client, request)
        reception.log.keep(reception.book, reception.certificate.sha256)
        # while a token was fetched nobody was listened to
        spent = reception.host.elapsed() - begin
        for other in self._clients.values():
            other.deadline_s += spent
        client.answer_with(data, reception.host.elapsed() + ANSWER_WITHIN_S)

    def _judged(self, client: EdgeConnection, request: JoinRequest) -> bytes:
        book, host = self._reception.book, request.host
        verdict = book.judge(host, request.secret, self._reception.host.elapsed())
        if verdict != "accepted":
            self._note(client.address, host, verdict)
            return _CODE_REFUSED.encode()
        if request.bundle and self._reception.bundle not in ("", request.bundle):
            self._note(client.address, host, "other-bundle")
            what = tr(
                "the master's bundle is {master}, and this host's is {own}",
                master=self._reception.bundle[:12],
                own=request.bundle[:12],
            )
            return JoinRefusal("bundle", what).encode()
        book.use(host)
        try:
            data = self._reception.gives(host).encode()
        except BundlerError as error:
            book.give_back(host)
            self._note(client.address, host, f"not-given [{error.id}]")
            return JoinRefusal("token", tr("the master cannot give it now [{id}]", id=error.id)).encode()
        client.host = host
        self._note(client.address, host, "accepted")
        return data

    def _note(self, address: str, host: str, outcome: str) -> None:
        if self._reception.log.note(address, host, outcome, noise=outcome in _NOISE):
            self._reception.say(f"{address}: {host or tr('(no host)')}: {outcome}")
