"""Report to systemd (sd_notify(3)): a datagram to the socket that it names; nothing at all elsewhere."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


class Systemd:
    """The service manager at a socket, or nobody.

    Arguments:
        address: the value of NOTIFY_SOCKET; "" for nobody.
    """

    def __init__(self, address: str) -> None:
        # an abstract socket is written with an @
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def notify(self, *assignments: str) -> None:
        """Send assignments such as `READY=1`; an address that takes none stops nothing."""
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.sendto("\n".join(assignments).encode(), self._address)


def service_manager() -> Systemd:
    """Return the one of this process, and take it out of the environment: workers must not report to it."""
    return Systemd(os.environ.pop("NOTIFY_SOCKET", ""))
