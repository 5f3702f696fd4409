"""Taking connections from the sockets that all FTP workers have: the one that serves the fewest takes the next.

Owns whose turn it is; refuses to know what becomes of a connection. docs/adr/0055.
"""

from __future__ import annotations

import errno
from functools import partial
from typing import TYPE_CHECKING, Any

from mirror.ftp.event_loop import ReadWatcher

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from mirror.ftp.event_loop import EventLoop

_ACCEPTS_OF_A_TURN = 32
_LOOK_S = 0.001
# after running out of descriptors
_ACCEPT_AGAIN_S = 0.2
_OUT_OF_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Listeners:
    """Listening sockets on the event loop; the supervisor has made them, and keeps them open.

    Arguments:
        accepted: is given each new connection and its peer's name.
        is_anothers: tells whether another worker has fewer connections, who is to have the next.
        looks: how often, a millisecond apart, that is asked of one that waits: a worker in the middle of something may
            not see it.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        accepted: Callable[[socket.socket, Any], None],
        loop: EventLoop,
        is_anothers: Callable[[], bool],
        looks: int,
    ) -> None:
        self._accepted = accepted
        self._loop = loop
        self._is_anothers = is_anothers
        self._looks = looks
        # counts how often connections were left to others; of the last time, whether that is over
        self._times, self._is_leaving = 0, False
        self._watchers: dict[socket.socket, ReadWatcher] = {}
        for listener in sockets:
            listener.setblocking(False)
            self._watchers[listener] = ReadWatcher(
                loop, listener.fileno(), partial(self._accept, listener), "a connection could not be taken"
            )

    def ended_one(self) -> None:
        """Take note that this worker has one connection less: the next may be its own."""
        if self._is_leaving and not self._is_anothers():
            self._go_on()

    def close(self) -> None:
        """Accept no more connections; the sockets stay the supervisor's."""
        for watcher in self._watchers.values():
            watcher.close()
        self._watchers.clear()

    def _accept(self, listener: socket.socket) -> None:
        """Accept the connections that wait, as far as no other worker is to have them."""
        for _ in range(_ACCEPTS_OF_A_TURN):
            if self._is_anothers():
                self._leave()
                return
            if not self._accept_one(listener):
                return

    def _accept_one(self, listener: socket.socket) -> bool:
        """Accept a connection, if one waits; without a descriptor left, wait a little instead of trying without end."""
        try:
            connection, name = listener.accept()
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _OUT_OF_ROOM:
                self._watchers[listener].pause(_ACCEPT_AGAIN_S)
                return False
            return True
        self._accepted(connection, name)
        return True

    def _leave(self) -> None:
        self._times, self._is_leaving = self._times + 1, True
        for watcher in self._watchers.values():
            watcher.rest()
        self._loop.call_later(_LOOK_S, partial(self._look, self._times, self._looks))

    def _look(self, times: int, looks: int) -> None:
        """See whose turn it is now; what nobody has taken in the end is taken, one from each socket."""
        if not self._is_leaving or times != self._times:
            return
        if not self._is_anothers():
            self._go_on()
        elif looks > 1:
            self._loop.call_later(_LOOK_S, partial(self._look, times, looks - 1))
        else:
            self._go_on()
            for listener in list(self._watchers):
                self._accept_one(listener)

    def _go_on(self) -> None:
        self._is_leaving = False
        for watcher in self._watchers.values():
            watcher.go_on()
