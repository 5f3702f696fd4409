"""Worker pools whose processes do what a test says: real forks and a real site, but no server.

with pool_of(root, serves) as pool:
    events = supervise(pool, ("say", sending(SIGTERM)))
"""

from __future__ import annotations

import os
import select
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from mirror.settings import Settings
from mirror.shared.addresses import AddressTable
from mirror.shared.comparisons import Comparisons
from mirror.shared.counters import shared_counters
from mirror.shared.failed_logins import FailedLogins
from mirror.shared.ftp_shares import FtpShares
from mirror.supervisor.key_files import read_key_files
from mirror.supervisor.run_worker import WorkerEnvironment
from mirror.supervisor.supervisor import Supervisor
from mirror.supervisor.workers import PooledWorker, WorkerPool
from mirror.tree.roots import open_root
from mirror.tree.site_loading import pack_site
from mirror.worker.control import Message

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mirror.worker.control import ControlChannel
    from mirror.worker.worker import Worker

# nothing takes that long, except where something is wrong
PATIENCE_S = 30

Step = tuple[str, "Callable[[], object]"]


@contextmanager
def pool_of(
    root: Path,
    run: Callable[[Worker], None],
    *,
    workers: int = 1,
    log: int | None = None,
    packs: bool = True,
    **settings: Any,
) -> Iterator[WorkerPool]:
    """Give a pool over a root whose workers all do `run`; nothing of it is left at the end.

    Arguments:
        packs: whether workers can be forked without a supervisor.
    """
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(workers)]
        given = Settings(root, workers=workers, **settings)
        opened = open_root(root)
        stack.callback(os.close, opened.descriptor)
        environment = WorkerEnvironment(
            settings=given,
            root=opened,
            shares=(),
            counters=shared_counters(["http"] * workers),
            bandwidth=None,
            addresses=AddressTable(workers, limit=2),
            logins=FailedLogins(),
            comparisons=Comparisons(),
            ftp_shares=FtpShares.of(workers, (1, 10)),
            user=None,
            runs={"http": run},
        )
        pooled = [PooledWorker(number, "http", (listener,)) for number, listener in enumerate(listeners)]
        pool = WorkerPool(environment, pooled, read_key_files(given), log)
        pool.index = pack_site(opened) if packs else None
        stack.callback(_end, pool)
        yield pool


def _end(pool: WorkerPool) -> None:
    pool.kill_all()
    for pid in pool.by_pid:
        os.waitpid(pid, 0)
    for worker in pool.workers:
        if worker.control is not None:
            worker.control.close()
    if pool.index is not None:
        os.close(pool.index)


def received(control: ControlChannel | None) -> Message:
    """Wait for the next message of a worker."""
    assert control is not None
    assert select.select([control], [], [], PATIENCE_S)[0], "nothing came"
    (message,) = control.receive()
    return message


def ended(pool: WorkerPool) -> list[tuple[int, int]]:
    """Wait for every process of a pool; return its workers' numbers with the exit codes, sorted."""
    codes: list[tuple[int, int]] = []
    while pool.by_pid:
        os.waitid(os.P_PID, next(iter(pool.by_pid)), os.WEXITED | os.WNOWAIT)
        codes += [(worker.number, code) for worker, code in pool.reap()]
    return sorted(codes)


# what a process may do


def commands(worker: Worker) -> Iterator[Message]:
    """Yield what the supervisor sends, until it is gone."""
    while not worker.control.closed:
        if not select.select([worker.control], [], [], PATIENCE_S)[0]:
            raise TimeoutError
        yield from worker.control.receive()


def serves(worker: Worker) -> None:
    """Be ready, take every reload over, end at a stop."""
    worker.is_ready()
    for message in commands(worker):
        if message.word == "reload":
            worker.control.send(
                Message("reloaded", text=f"generation {message.generation}", generation=message.generation)
            )
        elif message.word == "stop":
            return


def signals_supervisor(number: signal.Signals) -> None:
    """Signal the process that forked this one."""
    os.kill(os.getppid(), number)


# what the one who started the mirror may do


def sending(number: signal.Signals) -> Callable[[], None]:
    """Return what sends this very process a signal."""
    return lambda: os.kill(os.getpid(), number)


class _Operator:
    """Records all that the supervisor shows and notifies; takes one step after the other when its event comes."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self.events: list[str] = []
        self._steps = list(steps)

    def take(self, event: str) -> None:
        self.events.append(event)
        if self._steps and self._steps[0][0] in event:
            self._steps.pop(0)[1]()

    def notify(self, *assignments: str) -> None:
        self.take(f"notify {' '.join(assignments)}")


def supervise(pool: WorkerPool, *steps: Step, exit_margin_s: float = 3.0, first_pause_s: float = 1000.0) -> list[str]:
    """Run a supervisor to its end; return its events: `say …`, `warn …` and `notify …`.

    Arguments:
        steps: a part of an event, and what to do when it has come; in this order, each once.
        exit_margin_s, first_pause_s: see `Supervisor`.
    """
    operator = _Operator(steps)
    Supervisor(
        pool,
        operator,
        say=lambda text: operator.take(f"say {text}"),
        warn=lambda line: operator.take(f"warn {line}"),
        announcement=lambda site: f"announced: {site}",
        exit_margin_s=exit_margin_s,
        first_pause_s=first_pause_s,
    ).run()
    return operator.events
