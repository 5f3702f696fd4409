"""What a new process does before it serves, or reads what is served: drop privileges, and report why it cannot."""

from __future__ import annotations

# comparing files loads it where it begins; by then the rights are gone with which Python's own files can be read
import concurrent.futures.thread  # noqa: F401 - see above
import gc
import os
import signal
import traceback
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from bundler import console
from bundler.errors import BundlerError
from mirror.shared.counters import Field
from mirror.supervisor.privileges import drop_privileges, name_process
from mirror.tree.site_loading import open_site, require_something_to_serve
from mirror.worker.access_log import AccessLog
from mirror.worker.bundle_comparison import compare_bundle
from mirror.worker.control import Message
from mirror.worker.serving import Loader
from mirror.worker.worker import Worker

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from bundler.archive.bundle_root import BundleRoot
    from mirror.settings import Settings
    from mirror.shared.addresses import AddressTable
    from mirror.shared.bandwidth import Bandwidth
    from mirror.shared.comparisons import Comparisons
    from mirror.shared.counters import Counters
    from mirror.shared.failed_logins import FailedLogins
    from mirror.shared.ftp_shares import FtpShares
    from mirror.supervisor.privileges import WorkerUser
    from mirror.tree.shares import Share
    from mirror.tree.site_packing import SitePart
    from mirror.worker.control import ControlChannel, KeyFiles

EXIT_FAILED = 8
EXIT_BUG = 1
# the supervisor alone handles them, and sends commands; a worker that the terminal reached would cut transfers
_NOT_FOR_WORKERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE)


@dataclass(frozen=True, slots=True)
class WorkerEnvironment:
    """What all workers of a mirror have in common; made before the first one is forked.

    Arguments:
        user: whom the workers become, None to stay who they are.
        runs: protocol -> what serves it.
        parts: makes what the protocols need of a site beside its files.
    """

    settings: Settings
    root: BundleRoot
    shares: Sequence[Share]
    counters: Counters
    bandwidth: Bandwidth | None
    addresses: AddressTable
    logins: FailedLogins
    ftp_shares: FtpShares
    comparisons: Comparisons
    user: WorkerUser | None
    runs: dict[str, Callable[[Worker], None]]
    parts: Callable[[], Sequence[SitePart]] = tuple

    @property
    def loader(self) -> Loader:
        """What makes snapshots of what is served."""
        return Loader(self.root, self.shares, self.settings, self.parts)


@dataclass(frozen=True, slots=True)
class WorkerStart:
    """What one new process begins with.

    Arguments:
        number: its worker's place in the pool.
        protocol: which of the environment's `runs` it does.
        listeners: its worker's sockets.
        registry: the one of them on which only the registry is answered, None for none.
        control: its end of the channel to the supervisor.
        key_files: what only the supervisor may read.
        log_descriptor: of the access log, None for none.
        index: descriptor of the packed site.
        generation: of that.
    """

    number: int
    protocol: str
    listeners: tuple[socket.socket, ...]
    registry: socket.socket | None
    control: ControlChannel
    key_files: KeyFiles
    log_descriptor: int | None
    index: int
    generation: int


def run_worker(environment: WorkerEnvironment, start: WorkerStart) -> NoReturn:
    """Be a worker, from just after the fork to the end of the process. What stops it is reported as `failed`."""

    def serve() -> None:
        environment.runs[start.protocol](_loaded_worker(environment, start))

    _be(environment, start.protocol, start.control, start.generation, serve)


def run_indexing(
    environment: WorkerEnvironment, control: ControlChannel, key_files: KeyFiles, *, may_serve_nothing: bool
) -> NoReturn:
    """Be the process that reads what is served, to its end: it reports `indexed` with a packed site, or `failed`.

    Arguments:
        may_serve_nothing: whether it is no error that there is neither a bundle nor a share.
    """

    def index() -> None:
        # it makes many objects, none of them in circles, and ends
        gc.disable()
        descriptor = environment.loader.pack(key_files)
        if not may_serve_nothing:
            require_something_to_serve(open_site(descriptor, environment.root, environment.shares), environment.root)
        control.send(Message("indexed", descriptor=descriptor))

    _be(environment, "index", control, 0, index)


def run_comparison(environment: WorkerEnvironment, control: ControlChannel, index: int, address: str) -> NoReturn:
    """Be the process that compares the bundle at an address with its digests, to its end, or until nobody listens."""

    def compare() -> None:
        bundle = open_site(index, environment.root, environment.shares).at(address)
        if bundle is not None:
            compare_bundle(bundle, environment.comparisons, control)

    _be(environment, "compare", control, 0, compare)


def _be(
    environment: WorkerEnvironment, name: str, control: ControlChannel, generation: int, work: Callable[[], None]
) -> NoReturn:
    """Be a process without rights that does some work, and reports what stops it."""
    code = EXIT_BUG
    try:
        _leave_signals_to_the_supervisor()
        # a signal for `mirror` is then for the supervisor alone
        name_process(f"mirror-{name}")
        if environment.user is not None:
            drop_privileges(environment.user)
        work()
        code = 0
    except BundlerError as error:
        code = EXIT_FAILED
        control.send(Message("failed", text=error.text(), generation=generation))
    except BaseException as error:  # noqa: BLE001 - the end of the process; nothing may go up into the supervisor's code
        traceback.print_exc()
        control.send(Message("failed", text=f"{type(error).__name__}: {error}", generation=generation))
    finally:
        console.end_process(code)


def _leave_signals_to_the_supervisor() -> None:
    signal.set_wakeup_fd(-1)
    for number in _NOT_FOR_WORKERS:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def _loaded_worker(environment: WorkerEnvironment, start: WorkerStart) -> Worker:
    """Open what is served. Raises BundlerError."""
    loader = environment.loader
    serving = loader.open(start.index, start.key_files, start.generation)
    # it is mapped; the next one comes with a message
    os.close(start.index)
    slot = environment.counters.slots[start.number]
    return Worker(
        number=start.number,
        listeners=start.listeners,
        registry=start.registry,
        settings=environment.settings,
        counters=environment.counters,
        slot=slot,
        bandwidth=environment.bandwidth,
        addresses=environment.addresses,
        logins=environment.logins,
        ftp_shares=environment.ftp_shares,
        comparisons=environment.comparisons,
        control=start.control,
        loader=loader,
        serving=serving,
        log=AccessLog(start.log_descriptor, environment.settings.log_format, partial(slot.add, Field.LOST_LOG_LINES)),
    )
