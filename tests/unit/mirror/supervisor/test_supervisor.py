"""The supervisor's life with real processes: beginning, signals, deaths, reloads, the end."""

from __future__ import annotations

import os
import resource
import signal
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bundler.errors import ErrorId, ServeError
from mirror.shared.counters import Field
from mirror.worker.control import KeyFiles, Message
from tests.unit.mirror.bundle_tree import write_bundle
from tests.unit.mirror.in_a_child import NOBODY, in_a_child
from tests.unit.mirror.supervisor.pools import (
    commands,
    pool_of,
    sending,
    serves,
    signals_supervisor,
    supervise,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror.supervisor.workers import WorkerPool
    from mirror.tree.site_packing import SitePart
    from mirror.worker.control import Word
    from mirror.worker.worker import Worker

HANG_UP, END, REOPEN = sending(signal.SIGHUP), sending(signal.SIGTERM), sending(signal.SIGUSR1)
USERS = "ann:$2y$04$Pi9F5F8I2AsMjIlztKync.j9E0ND2UZcKqkxmbPX6MVjZSqMbO0.i\n"
READY = "notify READY=1 STATUS=demo 2025.03"


def incarnation(worker: Worker) -> int:
    """Return how many processes this worker had before."""
    return worker.slot.get(Field.RESTARTS)


# the beginning


def test_it_announces_what_is_served_when_everybody_serves(root: Path) -> None:
    with pool_of(root, serves, workers=3) as pool:
        events = supervise(pool, ("say", END))
        assert pool.by_pid == {}
    assert [event.split(",")[0] for event in events] == [
        "say announced: demo 2025.03",
        READY,
        "notify STOPPING=1",
    ]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_signals_are_handled_as_before_when_it_has_ended(root: Path, ending: signal.Signals) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)
    before = [signal.getsignal(number) for number in numbers]
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup)
    with pool_of(root, serves) as pool:
        supervise(pool, ("say", sending(ending)))
    assert [signal.getsignal(number) for number in numbers] == before
    assert signal.set_wakeup_fd(wakeup) == wakeup


def test_one_that_cannot_begin_ends_it_with_the_reason(root: Path) -> None:
    def fails_alone(worker: Worker) -> None:
        if worker.number == 1:
            raise ServeError(ErrorId.SERVE_TLS_INVALID, "no key", where="pem", remedy="Mend it.")
        serves(worker)

    with pool_of(root, fails_alone, workers=2) as pool, pytest.raises(ServeError) as caught:
        supervise(pool)
    assert caught.value.id is ErrorId.SERVE_WORKERS_FAILED
    assert "a worker for http could not begin: " in caught.value.what
    assert "[serve-tls-invalid]" in caught.value.what


def test_a_host_without_room_for_a_process_ends_it_with_the_reason(root: Path) -> None:
    def as_somebody_with_no_process_left() -> None:
        if os.geteuid() == 0:
            os.setresuid(NOBODY, NOBODY, NOBODY)
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))

    def part() -> str:
        with (
            pool_of(Path(f"/proc/self/fd/{directory}"), serves, packs=False) as pool,
            pytest.raises(ServeError) as caught,
        ):
            supervise(pool)
        return caught.value.what

    # opened before that, as a mirror's root is
    directory = os.open(root, os.O_PATH)
    events = in_a_child(part, before=as_somebody_with_no_process_left)
    os.close(directory)
    assert events.endswith("no process can be started for that: Resource temporarily unavailable")


# deaths


def test_a_dead_worker_is_replaced_at_once_and_said_to_be(root: Path) -> None:
    def serves_until_the_second(worker: Worker) -> None:
        if incarnation(worker):
            signals_supervisor(signal.SIGTERM)
        serves(worker)

    with pool_of(root, serves_until_the_second) as pool:
        events = supervise(pool, ("say", lambda: os.kill(pool.workers[0].pid, signal.SIGKILL)))
    assert events[2] == "warn a worker for http was ended by signal 9; it is replaced"


def test_one_that_dies_as_it_begins_is_replaced_after_a_pause(root: Path) -> None:
    def fails_the_second_time(worker: Worker) -> None:
        if incarnation(worker) == 1:
            raise RuntimeError("full")
        if incarnation(worker) == 2:
            signals_supervisor(signal.SIGTERM)
        serves(worker)

    with pool_of(root, fails_the_second_time) as pool:
        events = supervise(pool, ("say", lambda: os.kill(pool.workers[0].pid, signal.SIGKILL)))
    assert events[3:5] == [
        "warn a worker for http failed: RuntimeError: full",
        "warn a worker for http ended with code 1; it is replaced in 0.1 s",
    ]


# reloads


def test_a_reload_is_done_when_everybody_has_taken_it_over(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    users = tmp_path / "users"
    users.write_text(USERS)
    seen: list[tuple[int, KeyFiles]] = []

    def change_and_hang_up(pool: WorkerPool) -> None:
        seen.append((pool.generation, pool.key_files))
        users.write_text(f"# {USERS}{USERS}")
        HANG_UP()

    with pool_of(root, serves, workers=2, users=users) as pool:
        events = supervise(pool, ("say", lambda: change_and_hang_up(pool)), ("STATUS=generation 2", END))
        seen.append((pool.generation, pool.key_files))
    assert events[2:4] == ["notify RELOADING=1", "notify READY=1 STATUS=generation 2"]
    assert seen == [(1, KeyFiles(USERS.encode())), (2, KeyFiles(f"# {USERS}{USERS}".encode()))]
    assert "mirror: reloaded\n  generation 2\n" in capfd.readouterr().err


def test_what_cannot_be_read_is_not_reloaded(root: Path, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text(USERS)

    def remove_and_hang_up() -> None:
        users.unlink()
        HANG_UP()

    with pool_of(root, serves, users=users) as pool:
        events = supervise(pool, ("say", remove_and_hang_up), ("warn", END))
        assert pool.generation == 1
        assert pool.key_files == KeyFiles(USERS.encode())
    assert events[2].startswith("warn nothing is reloaded: ")
    assert "--users" in events[2]


def test_half_a_reload_is_none_and_successors_begin_with_what_was_accepted(
    root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    users = tmp_path / "users"
    users.write_text(USERS)

    def takes_over_unless_first(worker: Worker) -> None:
        worker.is_ready()
        for message in commands(worker):
            if message.word == "reload":
                generation = message.generation
                refusal = Message("failed", text="no good", generation=generation)
                worker.control.send(Message("reloaded", generation=generation) if worker.number else refusal)
            elif message.word == "stop":
                return

    def change_and_hang_up() -> None:
        users.write_text(f"# new\n{USERS}")
        HANG_UP()

    with pool_of(root, takes_over_unless_first, workers=2, users=users) as pool:
        events = supervise(pool, ("say", change_and_hang_up), ("warn", lambda: None), ("notify READY=1", END))
        assert pool.key_files == KeyFiles(USERS.encode())
    assert "warn a worker for http failed: no good" in events
    assert "notify READY=1" in events
    assert "reloaded" not in capfd.readouterr().err


def test_an_answer_to_an_older_reload_counts_for_nothing(root: Path) -> None:
    def answers_late(worker: Worker) -> None:
        worker.is_ready()
        for message in commands(worker):
            if message.word == "reload":
                for generation in (message.generation - 1, message.generation):
                    text = f"generation {generation}"
                    worker.control.send(Message("reloaded", text=text, generation=generation))
            elif message.word == "stop":
                return

    with pool_of(root, answers_late) as pool:
        events = supervise(pool, ("say", HANG_UP), ("STATUS=generation", END))
    assert events[2:4] == ["notify RELOADING=1", "notify READY=1 STATUS=generation 2"]


def test_one_that_dies_during_a_reload_does_not_keep_it_from_ending(root: Path) -> None:
    def dies_of_a_reload(worker: Worker) -> None:
        worker.is_ready()
        for message in commands(worker):
            if message.word == "reload":
                os._exit(3)
            elif message.word == "stop":
                return

    with pool_of(root, dies_of_a_reload) as pool:
        events = supervise(pool, ("say", HANG_UP), ("warn", lambda: None), (READY, END))
    assert [event.split(",")[0] for event in events[2:5]] == [
        "notify RELOADING=1",
        "warn a worker for http ended with code 3; it is replaced",
        READY,
    ]


def test_a_root_in_another_one_s_place_is_not_served(root: Path) -> None:
    def replace_and_hang_up() -> None:
        root.rename(root.with_name("old"))
        root.mkdir()
        HANG_UP()

    with pool_of(root, serves) as pool:
        events = supervise(pool, ("say", replace_and_hang_up), ("STATUS=generation 2", END))
    assert events[2] == (
        f"warn {root} is not the directory any more that is served: restart the mirror to serve the new one"
    )


def _becomes_another(root: Path) -> None:
    (root / "bundle.json").unlink()
    write_bundle(root, {"another": b"bundle"})


def _ends_at_first(count: Path, times: int = 1) -> Sequence[SitePart]:
    """Be what a process that reads a root does, of which the second one is killed, and so many in all."""
    with count.open("a") as file:
        file.write("x")
    if 2 <= count.stat().st_size <= 1 + times:
        os.kill(os.getpid(), signal.SIGKILL)
    return ()


def test_a_change_that_could_not_be_read_is_read_again_though_nothing_changes_any_more(
    root: Path, tmp_path: Path
) -> None:
    with pool_of(root, serves, packs=False) as pool:
        pool.environment = replace(pool.environment, parts=partial(_ends_at_first, tmp_path / "count"))
        steps = (("say", partial(_becomes_another, root)), ("warn", lambda: None), ("STATUS=generation 2", END))
        events = supervise(pool, *steps, first_pause_s=0.01)
    assert events[2:] == [
        "notify RELOADING=1",
        "warn nothing is reloaded: the process that reads it ended without a word",
        "notify READY=1",
        "notify RELOADING=1",
        "notify READY=1 STATUS=generation 2",
        "notify STOPPING=1",
    ]


def test_whoever_asks_for_a_reload_is_told_each_time_why_there_is_none(root: Path, tmp_path: Path) -> None:
    with pool_of(root, serves, packs=False) as pool:
        pool.environment = replace(pool.environment, parts=partial(_ends_at_first, tmp_path / "count", times=2))
        # the third one is read, and ends it in any case
        steps = (("say", HANG_UP), ("RELOADING", lambda: None), ("READY=1", HANG_UP), ("READY=1", HANG_UP))
        events = supervise(pool, *steps, ("STATUS=generation 2", END))
    assert [event for event in events if event.startswith("warn")] == [
        "warn nothing is reloaded: the process that reads it ended without a word"
    ] * 2


def test_a_change_that_could_not_be_taken_over_is_taken_over_later(root: Path) -> None:
    def refuses_once(worker: Worker) -> None:
        worker.is_ready()
        for message in commands(worker):
            if message.word == "reload":
                word: Word = "failed" if message.generation == 2 else "reloaded"
                worker.control.send(Message(word, text="no memory", generation=message.generation))
            elif message.word == "stop":
                return

    with pool_of(root, refuses_once) as pool:
        steps = (("say", partial(_becomes_another, root)), ("warn", lambda: None), ("STATUS=no memory", END))
        events = supervise(pool, *steps, first_pause_s=0.01)
        assert pool.generation == 3
    assert [event for event in events if event.startswith("warn")] == ["warn a worker for http failed: no memory"]


# the access log


def logs(worker: Worker) -> None:
    worker.is_ready()
    for message in commands(worker):
        if message.word == "reopen-log":
            assert message.descriptor is not None
            os.write(message.descriptor, f"worker {worker.number}\n".encode())
            worker.control.send(Message("failed", text="it is open"))
        elif message.word == "stop":
            return


def test_everybody_goes_on_in_the_reopened_log(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    old = os.open(tmp_path / "old.log", os.O_WRONLY | os.O_CREAT, 0o600)
    with pool_of(root, logs, workers=2, log=old, access_log=path) as pool:
        supervise(pool, ("say", REOPEN), ("it is open", lambda: None), ("it is open", END))
        assert pool.log_descriptor not in (None, old)
        os.close(pool.log_descriptor or -1)
    assert sorted(path.read_text().splitlines()) == ["worker 0", "worker 1"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(old)


def test_a_log_that_cannot_be_opened_stays_as_it_is(root: Path, tmp_path: Path) -> None:
    with pool_of(root, logs, access_log=tmp_path / "absent" / "access.log") as pool:
        events = supervise(pool, ("say", REOPEN), ("warn", END))
        assert pool.log_descriptor is None
    assert events[2].startswith("warn the access log stays as it is: ")


def test_without_a_log_there_is_nothing_to_reopen(root: Path) -> None:
    with pool_of(root, logs) as pool:
        events = supervise(pool, ("say", lambda: (REOPEN(), HANG_UP())), ("RELOADING", END))
    assert not [event for event in events if event.startswith("warn")]


# the end


def goes_on(worker: Worker) -> None:
    """Serve, and never end by itself."""
    worker.is_ready()
    for message in commands(worker):
        if message.word == "stop":
            signals_supervisor(signal.SIGTERM)


def test_asked_twice_it_ends_at_once(root: Path) -> None:
    with pool_of(root, goes_on, grace_s=1000.0) as pool:
        events = supervise(pool, ("say", END))
        assert pool.by_pid == {}
    assert events.count("notify STOPPING=1") == 1


def test_beyond_the_grace_period_the_rest_is_killed(root: Path) -> None:
    def hears_nothing(worker: Worker) -> None:
        worker.is_ready()
        threading.Event().wait()

    with pool_of(root, hears_nothing, grace_s=0.0) as pool:
        supervise(pool, ("say", END), exit_margin_s=0.01)
        assert pool.by_pid == {}


def test_who_still_loads_is_not_waited_for(root: Path) -> None:
    def loads_for_ever(worker: Worker) -> None:
        if worker.number == 0:
            signals_supervisor(signal.SIGTERM)
            serves(worker)
        else:
            threading.Event().wait()

    with pool_of(root, loads_for_ever, workers=2, grace_s=1000.0) as pool:
        assert supervise(pool) == ["notify STOPPING=1"]
        assert pool.by_pid == {}


def test_nobody_is_replaced_and_nothing_reloaded_on_the_way_out(root: Path) -> None:
    with pool_of(root, serves, grace_s=1000.0) as pool:
        events = supervise(pool, ("say", END), ("STOPPING", HANG_UP))
        assert pool.generation == 1
    assert events[-1] == "notify STOPPING=1"
