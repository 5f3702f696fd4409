"""Put a mirror together and run it: bind and open first, with whatever rights there are; then fork, and watch."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from mirror.shared.addresses import AddressTable
from mirror.shared.bandwidth import Bandwidth
from mirror.shared.counters import PROTOCOLS, shared_counters
from mirror.supervisor.access_file import open_access_log
from mirror.supervisor.announcement import announcement
from mirror.supervisor.binding import bind_all
from mirror.supervisor.child import Surroundings
from mirror.supervisor.crew import Crew, Member
from mirror.supervisor.local_addresses import local_addresses, public_addresses
from mirror.supervisor.material import read_material
from mirror.supervisor.notify import service_manager
from mirror.supervisor.privileges import raise_descriptor_limit, worker_identity
from mirror.supervisor.supervisor import Supervisor
from mirror.tree.roots import open_root, open_share

if TYPE_CHECKING:
    from collections.abc import Callable

    from mirror.settings import Endpoint, Settings
    from mirror.worker.worker import Worker

Runs = dict[str, "Callable[[Worker], None]"]


def serve(settings: Settings, runs: Runs, *, say: Callable[[str], None], warn: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT.

    Arguments:
        runs: protocol -> what a worker of it does.
        say: takes what is told once everybody serves.
        warn: takes one line at a time that an operator should know.

    Raises ServeError, StorageError, and BundleFormatError when the root is a bundle that cannot be read.
    """
    manager = service_manager()
    identity = worker_identity(settings.user)
    raise_descriptor_limit()
    material = read_material(settings)
    root = open_root(settings.root)
    shares = [open_share(option) for option in settings.shares]
    listeners = _bind(settings)
    protocols = [protocol for protocol, _ in listeners]
    ports = {protocol: bound.getsockname()[1] for protocol, bound in listeners}
    # of port 0, clients are told which one it became
    settings = replace(
        settings, http=_found(settings.http, ports.get("http")), ftp=_found(settings.ftp, ports.get("ftp"))
    )
    around = Surroundings(
        settings=settings,
        root=root,
        shares=shares,
        counters=shared_counters(protocols),
        bandwidth=None if settings.rate_limit is None else Bandwidth(settings.rate_limit),
        addresses=AddressTable(len(listeners), settings.ftp_connections),
        identity=identity,
        runs=runs,
    )
    members = [Member(number, protocol, bound) for number, (protocol, bound) in enumerate(listeners)]
    crew = Crew(around, members, material, open_access_log(settings.access_log))
    for line in _warnings(settings):
        warn(line)

    def announce(site: str) -> str:
        return announcement(
            settings, site, host=_own_name(settings), http=ports.get("http"), ftp=ports.get("ftp"), pid=os.getpid()
        )

    Supervisor(crew, manager, say=say, warn=warn, announcement=announce).run()


def _endpoints(settings: Settings) -> dict[str, Endpoint | None]:
    return dict(zip(PROTOCOLS, (settings.http, settings.ftp), strict=True))


def _bind(settings: Settings) -> list[tuple[str, socket.socket]]:
    bound: list[tuple[str, socket.socket]] = []
    for protocol, endpoint in _endpoints(settings).items():
        if endpoint is not None:
            bound += [(protocol, listener) for listener in bind_all(protocol, endpoint, settings.workers)]
    return bound


def _found(endpoint: Endpoint | None, port: int | None) -> Endpoint | None:
    return None if endpoint is None or port is None else endpoint._replace(port=port)


def _warnings(settings: Settings) -> list[str]:
    endpoints = [endpoint for endpoint in _endpoints(settings).values() if endpoint is not None]
    public = public_addresses(endpoints, local_addresses())
    if public and not settings.allow and settings.users is None:
        return [f"everybody on the internet can read this mirror at {', '.join(public)}: consider --allow or --users"]
    return []


def _own_name(settings: Settings) -> str:
    for endpoint in _endpoints(settings).values():
        if endpoint is not None and endpoint.host not in ("", "::", "0.0.0.0"):  # noqa: S104 - compared, not bound
            return endpoint.host
    return socket.gethostname()
