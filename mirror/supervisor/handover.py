"""What a mirror hands on to the one that replaces it in the same process: listening sockets, and the earlier workers.

The replaced one's workers go on serving until the new ones do. The form of the variable, and that the end of its
channel makes a worker wind up, are what mirrors of different releases agree on; both only ever gain fields.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.json_value import load_foreign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, MutableMapping

VARIABLE = "MIRROR_HANDOVER"


@dataclass(frozen=True, slots=True)
class Handover:
    """What is handed on.

    Arguments:
        listeners: flag (`http`, `ftp`, `registry`) -> descriptors of its sockets, one for each worker.
        channels: descriptors of the control channels of the earlier workers.
        report: descriptor to write to once the new one could begin, for a trial; None for the real thing.
    """

    listeners: Mapping[str, tuple[int, ...]]
    channels: tuple[int, ...] = ()
    report: int | None = None

    def descriptors(self) -> Iterator[int]:
        """Yield every descriptor."""
        for listeners in self.listeners.values():
            yield from listeners
        yield from self.channels
        if self.report is not None:
            yield self.report

    def encoded(self, pid: int) -> str:
        """Return the variable's value, for the process of this pid alone."""
        listeners = {flag: list(descriptors) for flag, descriptors in self.listeners.items()}
        return json.dumps({"pid": pid, "listeners": listeners, "channels": self.channels, "report": self.report})

    def adopt(self, flag: str, count: int) -> list[socket.socket]:
        """Return the listening sockets of a protocol; none when as many as are wanted were not handed on."""
        descriptors = self.listeners.get(flag, ())
        return [socket.socket(fileno=descriptor) for descriptor in descriptors] if len(descriptors) == count else []

    def release(self) -> None:
        """Let the earlier workers end what they do, and accept nothing more."""
        for descriptor in self.channels:
            with suppress(OSError), socket.socket(fileno=descriptor) as channel:
                # also where a forked process has it open
                channel.shutdown(socket.SHUT_RDWR)


def handed_on(environment: MutableMapping[str, str]) -> Handover | None:
    """Take what was handed on to this process out of the environment; None for a mirror that begins anew."""
    value = environment.pop(VARIABLE, "")
    if not value:
        return None
    fields = load_foreign(value)
    if fields["pid"] != os.getpid():
        return None
    listeners = {flag: tuple(descriptors) for flag, descriptors in fields["listeners"].items()}
    handover = Handover(listeners, tuple(fields["channels"]), fields["report"])
    for descriptor in handover.descriptors():
        os.set_inheritable(descriptor, False)
    return handover
