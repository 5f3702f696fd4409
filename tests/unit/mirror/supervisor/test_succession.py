"""Who takes over, what is tried out before, and what an attempt that fails leaves: real processes, no real mirror."""

from __future__ import annotations

import json
import os
import selectors
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from mirror.shared.counters import Field
from mirror.supervisor.handover import VARIABLE, Handover, handed_on
from mirror.supervisor.succession import Succession, Trial
from tests.unit.mirror.bundle_tree import write_bundle
from tests.unit.mirror.supervisor.pools import PATIENCE_S, pool_of, serves

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mirror.supervisor.workers import WorkerPool

# reports where it is tried out, and writes down what it got where it takes over
TAKES_OVER = """#!/bin/sh
report=$(printf '%s' "$MIRROR_HANDOVER" | sed 's/.*"report": \\([0-9a-z]*\\).*/\\1/')
if [ "$report" != null ]; then printf 1 >"/dev/fd/$report"; exit; fi
printf '%s\\n' "$$" "$*" "$KEPT" "$MIRROR_HANDOVER" >"$0.took-over"
"""


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """A root with two bundles that bring a tool, `first` being current."""
    for name in ("first", "second"):
        directory = write_bundle(tmp_path / "opt" / name, {"a": b""}, name=name)
        (directory / "bin").mkdir()
        write_launcher(directory, TAKES_OVER)
    activate(tmp_path / "opt", "first")
    return tmp_path / "opt"


def write_launcher(directory: Path, text: str) -> None:
    (directory / "bin/mirror").write_text(text)
    (directory / "bin/mirror").chmod(0o755)


def activate(root: Path, name: str) -> None:
    (root / "current").unlink(missing_ok=True)
    (root / "current").symlink_to(name)


class Tried:
    """A succession of the mirror of a bundle, and what it told."""

    def __init__(self, pool: WorkerPool, bundle: Path, trial_within_s: float = 1000.0) -> None:
        self.warnings: list[str] = []
        self.pool = pool
        self.selector = selectors.DefaultSelector()
        self.succession = Succession(
            pool,
            prefix=str(bundle / "runtime/x86_64"),
            arguments=("serve", "--root", "/opt"),
            environment={"KEPT": "kept", "PATH": os.environ["PATH"], "NOTIFY_SOCKET": "/nowhere"},
            warn=self.warnings.append,
            trial_within_s=trial_within_s,
        )

    def consider(self) -> Trial | None:
        """Return the trial that this begins, after its end."""
        self.succession.consider(self.selector)
        if not self.selector.get_map():
            return None
        ((key, _),) = self.selector.select(PATIENCE_S)
        assert isinstance(key.data, Trial)
        return key.data

    @property
    def is_held_back(self) -> bool:
        return bool(self.pool.environment.counters.slots[0].get(Field.SUCCESSOR_FAILED))


def test_only_a_mirror_from_a_bundle_of_its_root_is_replaced_and_only_by_another_that_brings_one(bundles: Path) -> None:
    with pool_of(bundles, serves) as pool:
        assert Tried(pool, bundles / "first").consider() is None
        activate(bundles, "second")
        assert Tried(pool, bundles / "second").consider() is None
        assert Tried(pool, bundles.parent / "elsewhere/kit").consider() is None
        (bundles / "second/bin/mirror").unlink()
        assert Tried(pool, bundles / "first").consider() is None
        activate(bundles, "gone")
        assert Tried(pool, bundles / "first").consider() is None


def test_what_cannot_begin_is_told_and_turns_health_red_until_another_is_active(bundles: Path) -> None:
    write_launcher(bundles / "second", "#!/bin/sh\nexit 8\n")
    activate(bundles, "second")
    with pool_of(bundles, serves) as pool:
        tried = Tried(pool, bundles / "first")
        trial = tried.consider()
        assert trial is not None
        tried.succession.decide(trial, tried.selector)
        (warning,) = tried.warnings
        assert warning.startswith(f"{bundles}/second/bin/mirror does not take over")
        assert tried.is_held_back
        activate(bundles, "first")
        assert tried.consider() is None
        assert not tried.is_held_back


def test_what_others_could_have_written_is_not_run(bundles: Path) -> None:
    activate(bundles, "second")
    with pool_of(bundles, serves) as pool:
        for path in (bundles / "second", bundles / "second/bin", bundles / "second/bin/mirror"):
            mode = path.stat().st_mode
            path.chmod(mode | 0o002)
            tried = Tried(pool, bundles / "first")
            assert tried.consider() is None
            assert f"others could have written {path}" in tried.warnings[0]
            path.chmod(mode)


def test_another_that_was_activated_meanwhile_is_tried_instead(bundles: Path) -> None:
    activate(bundles, "second")
    with pool_of(bundles, serves) as pool:
        tried = Tried(pool, bundles / "first")
        trial = tried.consider()
        assert trial is not None
        activate(bundles, "first")
        tried.succession.decide(trial, tried.selector)
        assert not tried.selector.get_map()
        assert tried.warnings == []


# a shell that waits for a process of its own, which has all that it has open
WAITS = "#!/bin/sh\nsleep 600\nexit\n"


def test_one_that_never_begins_is_ended_and_told(bundles: Path) -> None:
    write_launcher(bundles / "second", WAITS)
    activate(bundles, "second")
    with pool_of(bundles, serves) as pool:
        tried = Tried(pool, bundles / "first", trial_within_s=0.0)
        tried.succession.consider(tried.selector)
        tried.succession.end_overdue()
        ((key, _),) = tried.selector.select(PATIENCE_S)
        tried.succession.decide(key.data, tried.selector)
        assert tried.warnings == [
            f"{bundles}/second/bin/mirror does not take over, and this mirror goes on: after 0 s it had not begun"
        ]
        assert tried.is_held_back
    with pool_of(bundles, serves, verify=True) as pool:
        tried = Tried(pool, bundles / "first", trial_within_s=0.0)
        tried.succession.consider(tried.selector)
        tried.succession.end_overdue()
        assert tried.selector.select(0.0) == []
        tried.succession.end()
        ((key, _),) = tried.selector.select(PATIENCE_S)
        tried.succession.decide(key.data, tried.selector)


@contextmanager
def another_active_meanwhile(bundles: Path) -> Iterator[Tried]:
    """Try a bundle's mirror out that never begins, and have the first one be active again."""
    write_launcher(bundles / "second", WAITS)
    activate(bundles, "second")
    with pool_of(bundles, serves) as pool:
        tried = Tried(pool, bundles / "first")
        tried.succession.consider(tried.selector)
        activate(bundles, "first")
        yield tried


def test_one_that_never_begins_does_not_keep_the_next_one_from_its_turn(bundles: Path) -> None:
    with another_active_meanwhile(bundles) as tried:
        trial = tried.consider()
        assert trial is not None
        tried.succession.decide(trial, tried.selector)
        assert (tried.warnings, tried.is_held_back) == ([], False)
        assert not tried.selector.get_map()


def test_one_that_was_ended_for_another_is_tried_anew_when_it_is_active_again(bundles: Path) -> None:
    with another_active_meanwhile(bundles) as tried:
        tried.succession.consider(tried.selector)
        activate(bundles, "second")
        ((key, _),) = tried.selector.select(PATIENCE_S)
        tried.succession.decide(key.data, tried.selector)
        assert tried.warnings == []
        assert not tried.is_held_back
        assert tried.selector.get_map()
        tried.succession.end()
        ((key, _),) = tried.selector.select(PATIENCE_S)
        os.close(key.data.report)


def test_a_trial_is_ended_with_the_mirror(bundles: Path) -> None:
    write_launcher(bundles / "second", "#!/bin/sh\nexec sleep 600\n")
    activate(bundles, "second")
    with pool_of(bundles, serves) as pool:
        tried = Tried(pool, bundles / "first")
        tried.succession.end()
        tried.succession.consider(tried.selector)
        tried.succession.end()
        ((key, _),) = tried.selector.select(PATIENCE_S)
        tried.succession.decide(key.data, tried.selector)
        assert tried.is_held_back


def test_the_successor_gets_process_arguments_environment_and_sockets(bundles: Path) -> None:
    activate(bundles, "second")
    with pool_of(bundles, serves, workers=2) as pool:
        listeners = [listener.fileno() for worker in pool.workers for listener in worker.listeners]
        pid = os.fork()
        if pid == 0:
            try:
                tried = Tried(pool, bundles / "first")
                trial = tried.consider()
                assert trial is not None
                tried.succession.decide(trial, tried.selector)
            finally:
                os._exit(9)
        assert os.waitpid(pid, 0)[1] == 0
    own, arguments, kept, handover = (bundles / "second/bin/mirror.took-over").read_text().splitlines()
    assert (int(own), arguments, kept) == (pid, "serve --root /opt", "kept")
    assert json.loads(handover) == {"pid": pid, "listeners": {"http": listeners}, "channels": [], "report": None}


def test_what_is_handed_on_is_taken_once_by_the_process_that_it_is_for() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.create_server(("127.0.0.1", 0)) as listener:
        given = Handover({"http": (listener.fileno(),)}, (ours.fileno(),))
        environment = {VARIABLE: given.encoded(os.getpid())}
        assert handed_on(environment) == given
        assert environment == {}
        assert handed_on(environment) is None
        assert handed_on({VARIABLE: given.encoded(os.getpid() + 1)}) is None
        assert given.adopt("http", 2) == given.adopt("ftp", 1) == []
        (adopted,) = given.adopt("http", 1)
        assert adopted.getsockname() == listener.getsockname()
        adopted.detach()
        # a worker that was forked meanwhile has it open too
        with theirs.dup():
            given.release()
            ours.detach()
            theirs.settimeout(PATIENCE_S)
            assert theirs.recv(1) == b""
