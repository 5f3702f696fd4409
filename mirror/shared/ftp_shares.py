"""What FTP's clients may hold of what all workers share: sessions, and ports for data connections."""

from __future__ import annotations

from dataclasses import dataclass

from mirror.shared.addresses import AddressTable

_LEAST_PORTS = 2
# counted under one address: the sessions of everybody
_EVERYBODY = "0.0.0.0"  # noqa: S104 - no address that is bound


@dataclass(frozen=True, slots=True)
class FtpShares:
    """Counts of all workers, each kept by worker, so that those of a dead one are forgotten.

    Arguments:
        sessions: those of all addresses together; fewer than there are passive ports, so that one is always free.
        ports: passive ports that listen, by address: a quarter of the range for each, and two at least.
    """

    sessions: AddressTable
    ports: AddressTable

    @classmethod
    def of(cls, workers: int, passive_ports: tuple[int, int]) -> FtpShares:
        """Return the shares of a range; to be called before the workers are forked."""
        count = passive_ports[1] - passive_ports[0] + 1
        sessions = AddressTable(workers, max(1, count - 1), entries=2)
        return cls(sessions, AddressTable(workers, max(_LEAST_PORTS, count // 4)))

    def admit_session(self, worker: int) -> bool:
        """Count a new session, unless it would be one too many."""
        return self.sessions.admit(worker, _EVERYBODY)

    def end_session(self, worker: int) -> None:
        """Count an admitted session no longer."""
        self.sessions.leave(worker, _EVERYBODY)

    def worker_ended(self, worker: int) -> None:
        """Forget what a dead worker's clients held. Called by the supervisor."""
        self.sessions.worker_ended(worker)
        self.ports.worker_ended(worker)
