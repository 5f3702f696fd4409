"""What a new worker process does before it serves: gives up rights, loads what is served, tells when it cannot."""

from __future__ import annotations

import signal
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from bundler import console
from bundler.errors import BundlerError
from mirror.supervisor.privileges import become, name_process
from mirror.tree.site_loading import require_something_to_serve
from mirror.worker.access_log import AccessLog
from mirror.worker.control import Message
from mirror.worker.serving import Loader
from mirror.worker.worker import Worker

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from mirror.settings import Settings
    from mirror.shared.addresses import AddressTable
    from mirror.shared.bandwidth import Bandwidth
    from mirror.shared.counters import Counters
    from mirror.supervisor.privileges import Identity
    from mirror.tree.shares import Share
    from mirror.tree.site_loading import Root
    from mirror.worker.control import Control, Material

EXIT_FAILED = 8
EXIT_BUG = 1
# the supervisor alone answers them, and says so over the line; a worker that the terminal reached would cut transfers
_NOT_FOR_WORKERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all workers of a mirror have in common; made before the first one is forked.

    Arguments:
        identity: whom to become, None to stay.
        runs: protocol -> what serves it.
    """

    settings: Settings
    root: Root
    shares: Sequence[Share]
    counters: Counters
    bandwidth: Bandwidth | None
    addresses: AddressTable
    identity: Identity | None
    runs: dict[str, Callable[[Worker], None]]


def live(
    around: Surroundings,
    number: int,
    protocol: str,
    listeners: tuple[socket.socket, ...],
    registry: socket.socket | None,
    control: Control,
    material: Material,
    log_descriptor: int | None,
    generation: int,
    *,
    begun: bool,
) -> NoReturn:
    """Be a worker, from just after the fork to the end of the process; once the mirror has begun, also of nothing."""
    code = EXIT_BUG
    try:
        signal.set_wakeup_fd(-1)
        for number_of_signal in _NOT_FOR_WORKERS:
            signal.signal(number_of_signal, signal.SIG_IGN)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        # a signal for `mirror` is then for the supervisor alone
        name_process(f"mirror-{protocol}")
        if around.identity is not None:
            become(around.identity)
        loader = Loader(around.root, around.shares, around.settings)
        serving = loader.load(material, generation)
        if not begun:
            require_something_to_serve(serving.site, around.root)
        worker = Worker(
            number=number,
            listeners=listeners,
            registry=registry,
            settings=around.settings,
            counters=around.counters,
            slot=around.counters.slots[number],
            bandwidth=around.bandwidth,
            addresses=around.addresses,
            control=control,
            loader=loader,
            serving=serving,
            log=AccessLog(log_descriptor, around.settings.log_format),
        )
        around.runs[protocol](worker)
        code = 0
    except BundlerError as error:
        code = EXIT_FAILED
        control.send(Message("failed", text=error.text(), generation=generation))
    except BaseException as error:  # noqa: BLE001 - the end of the process; nothing may go up into the supervisor's code
        traceback.print_exc()
        control.send(Message("failed", text=f"{type(error).__name__}: {error}", generation=generation))
    finally:
        console.end_process(code)
