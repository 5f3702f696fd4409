"""Put a mirror together and run it: bind and open first, with whatever rights there are; then fork, and watch."""

from __future__ import annotations

import os
import socket
import sys
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, ServeError
from bundler.translation import tr
from mirror.shared.addresses import AddressTable
from mirror.shared.bandwidth import Bandwidth
from mirror.shared.comparisons import Comparisons
from mirror.shared.counters import shared_counters
from mirror.shared.failed_logins import FailedLogins
from mirror.shared.ftp_shares import FtpShares
from mirror.supervisor.access_file import open_access_log
from mirror.supervisor.announcement import announcement
from mirror.supervisor.binding import bind_all
from mirror.supervisor.handover import VARIABLE, handed_on
from mirror.supervisor.indexing import Indexing
from mirror.supervisor.key_files import read_key_files
from mirror.supervisor.local_addresses import local_addresses, public_addresses
from mirror.supervisor.notify import service_manager
from mirror.supervisor.privileges import raise_descriptor_limit, worker_user
from mirror.supervisor.run_worker import WorkerEnvironment
from mirror.supervisor.succession import STARTED, Succession
from mirror.supervisor.supervisor import Supervisor
from mirror.supervisor.workers import PooledWorker, WorkerPool
from mirror.tree.roots import open_root, open_share

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mirror.settings import ListenAddress, Settings
    from mirror.supervisor.handover import Handover
    from mirror.tree.site_packing import SitePart
    from mirror.worker.worker import Worker

Runs = dict[str, "Callable[[Worker], None]"]


def serve(
    settings: Settings,
    runs: Runs,
    parts: Callable[[], Sequence[SitePart]],
    *,
    say: Callable[[str], None],
    warn: Callable[[str], None],
) -> None:
    """Serve until SIGTERM or SIGINT.

    Arguments:
        runs: protocol -> what a worker of it does.
        parts: makes what they need of a site beside its files.
        say: shows a text to the operator, once every worker serves.
        warn: shows the operator one line at a time.

    Raises ServeError, StorageError.
    """
    environment_variables = {name: value for name, value in os.environ.items() if name != VARIABLE}
    handover = handed_on(os.environ)
    manager = service_manager()
    user = worker_user(settings.user)
    raise_descriptor_limit()
    key_files = read_key_files(settings)
    root = open_root(settings.root)
    shares = [open_share(option) for option in settings.shares]
    workers = _bind(settings, handover)
    settings = _as_bound(settings, workers)
    environment = WorkerEnvironment(
        settings=settings,
        root=root,
        shares=shares,
        counters=shared_counters([worker.protocol for worker in workers]),
        bandwidth=None if settings.rate_limit is None else Bandwidth(settings.rate_limit),
        addresses=AddressTable(len(workers), settings.ftp_connections),
        logins=FailedLogins(),
        ftp_shares=FtpShares.of(len(workers), settings.passive_ports),
        comparisons=Comparisons(),
        user=user,
        runs=runs,
        parts=parts,
    )
    pool = WorkerPool(environment, workers, key_files, open_access_log(settings.access_log))
    if handover is not None and handover.report is not None:
        _try_out(pool, handover.report)
        return
    for line in _warnings(settings):
        warn(line)
    ports = {flag: endpoint.port for flag, endpoint in _endpoints(settings).items() if endpoint is not None}

    def announce(site: str) -> str:
        if handover is not None:
            handover.release()
        return announcement(settings, site, host=_own_name(settings), ports=ports, pid=os.getpid())

    succession = Succession(
        pool, prefix=sys.prefix, arguments=sys.argv[1:], environment=environment_variables, warn=warn
    )
    Supervisor(pool, manager, say=say, warn=warn, announcement=announce, succession=succession).run()


def _try_out(pool: WorkerPool, report: int) -> None:
    """Have everything read as at the start, and report that it could be. Raises ServeError."""
    indexing = Indexing.begin(pool, pool.key_files)
    indexing.wait()
    indexing.end()
    if indexing.descriptor is None:
        raise ServeError(
            ErrorId.SERVE_WORKERS_FAILED,
            tr("what is to be served could not be read: {failure}", failure=indexing.failure),
            remedy=tr("Mend what is named, then activate the bundle again."),
        )
    os.write(report, STARTED)


def _endpoints(settings: Settings) -> dict[str, ListenAddress | None]:
    return {"http": settings.http, "ftp": settings.ftp, "registry": settings.registry}


def _bind(settings: Settings, handover: Handover | None) -> list[PooledWorker]:
    """Return the workers with their sockets; those of the registry belong to HTTP's workers."""
    http, ftp, registry = (
        _bound(flag, endpoint, settings, handover) for flag, endpoint in _endpoints(settings).items()
    )
    workers: list[PooledWorker] = []
    for site, images in zip_longest(http, registry):
        listeners = tuple(listener for listener in (site, images) if listener is not None)
        workers.append(PooledWorker(len(workers), "http", listeners, images))
    for listener in ftp:
        # there are few connections, and each may carry gigabytes: the kernel would spread them by chance
        others = tuple(other for other in ftp if other is not listener)
        workers.append(PooledWorker(len(workers), "ftp", (listener,), others=others))
    return workers


def _bound(
    flag: str, endpoint: ListenAddress | None, settings: Settings, handover: Handover | None
) -> list[socket.socket]:
    if endpoint is None:
        return []
    adopted = [] if handover is None else handover.adopt(flag, settings.workers)
    return adopted or bind_all(flag, endpoint, settings.workers)


def _as_bound(settings: Settings, workers: Sequence[PooledWorker]) -> Settings:
    """Return the settings with the ports that were given where 0 was asked for: clients need to know them."""
    ports = {
        "registry" if listener is worker.registry else worker.protocol: listener.getsockname()[1]
        for worker in workers
        for listener in worker.listeners
    }
    return replace(
        settings,
        http=settings.http and settings.http._replace(port=ports["http"]),
        ftp=settings.ftp and settings.ftp._replace(port=ports["ftp"]),
        registry=settings.registry and settings.registry._replace(port=ports["registry"]),
    )


def _warnings(settings: Settings) -> list[str]:
    endpoints = [endpoint for endpoint in _endpoints(settings).values() if endpoint is not None]
    public = public_addresses(endpoints, local_addresses())
    if public and not settings.allow and settings.users is None:
        return [
            tr(
                "everybody on the internet can read this mirror at {public}: consider --allow or --users",
                public=", ".join(public),
            )
        ]
    return []


def _own_name(settings: Settings) -> str:
    for endpoint in _endpoints(settings).values():
        if endpoint is not None and endpoint.host not in ("", "::", "0.0.0.0"):  # noqa: S104 - compared, not bound
            return endpoint.host
    return socket.gethostname()
