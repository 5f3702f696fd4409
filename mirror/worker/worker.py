"""What one worker process works with: its sockets, its slot, its channel to the supervisor, what it serves."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mirror.shared.comparisons import Comparisons
from mirror.shared.counters import MAX_NAMED_FAULTS, Field, State
from mirror.shared.failed_logins import FailedLogins
from mirror.worker.control import Message
from mirror.worker.describe import describe

if TYPE_CHECKING:
    import socket

    from mirror.settings import Settings
    from mirror.shared.addresses import AddressTable
    from mirror.shared.bandwidth import Bandwidth
    from mirror.shared.counters import Counters, Slot
    from mirror.shared.ftp_shares import FtpShares
    from mirror.worker.access_log import AccessLog
    from mirror.worker.control import ControlChannel
    from mirror.worker.serving import Loader, Serving


@dataclass(slots=True)
class Worker:
    """One process that serves one protocol.

    Arguments:
        number: its slot's place among all workers, and among the tables of `addresses`.
        listeners: bound and listening sockets, which the supervisor keeps open; FTP's workers have all of theirs.
        settings: as the mirror was started.
        counters: all slots, to be read.
        slot: its own, to be written.
        bandwidth: the shared budget, None without a limit.
        addresses: counts of FTP connections by client.
        control: the channel to the supervisor.
        loader: makes the next snapshot of what another process has read.
        serving: the present snapshot; replaced as a whole by a reload.
        log: the access log.
        logins: failed ones, by client.
        comparisons: of bundles with their digests, while they are served.
        ftp_shares: what FTP's clients may hold, None where nobody counts.
        supervisor: the process that has started it.
        registry: the one of its sockets on which only the registry is answered, None for none.
    """

    number: int
    listeners: tuple[socket.socket, ...]
    settings: Settings
    counters: Counters
    slot: Slot
    bandwidth: Bandwidth | None
    addresses: AddressTable
    control: ControlChannel
    loader: Loader
    serving: Serving
    log: AccessLog
    registry: socket.socket | None = None
    logins: FailedLogins = field(default_factory=FailedLogins)
    comparisons: Comparisons = field(default_factory=Comparisons)
    ftp_shares: FtpShares | None = None
    supervisor: int = field(default_factory=os.getppid)

    @property
    def is_succeeded(self) -> bool:
        """Whether its supervisor lives on without it, as the mirror of another bundle, which has workers of its own."""
        return self.control.closed and os.getppid() == self.supervisor

    def take_over(self, serving: Serving) -> None:
        """Serve a new snapshot from the next request on."""
        self.serving = serving
        self.slot.set(Field.GENERATION, serving.generation)
        self.count_faults()

    def count_faults(self) -> None:
        """Tell all workers which files this one cannot serve."""
        site, quarantine = self.serving.site, self.serving.quarantine
        faulty = quarantine.bundles()
        bundles = [bundle.number for bundle in site.bundles if bundle.short_id in faulty]
        numbers = map(site.number_of, quarantine.first_files(MAX_NAMED_FAULTS))
        self.slot.set_faults(quarantine.count, bundles, [number for number in numbers if number is not None])

    def is_ready(self) -> None:
        """Tell the supervisor, and everybody who reads the counters, that this worker accepts connections."""
        self.take_over(self.serving)
        self.slot.set(Field.STATE, State.READY)
        self.control.send(Message("ready", text=describe(self.serving.site)))
