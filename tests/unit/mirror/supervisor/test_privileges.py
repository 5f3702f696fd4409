"""Rights are given up for good, descriptors taken: in processes of their own."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from bundler.errors import ErrorId, ServeError
from mirror.supervisor.privileges import (
    WorkerUser,
    drop_privileges,
    name_process,
    raise_descriptor_limit,
    worker_user,
)
from tests.unit.mirror.in_a_child import NOBODY, as_nobody, in_a_child

NAMELESS = "no-such-user-here"


def status_of_this_process(field: str) -> str:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith(f"{field}:"))


def need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")


def test_root_s_workers_become_the_named_user() -> None:
    need_root()
    user = worker_user("nobody")
    assert user is not None
    assert (user.name, user.uid > 0) == ("nobody", True)


@pytest.mark.parametrize(("name", "what"), [(NAMELESS, "no such user"), ("root", "must not run as root")])
def test_a_user_that_workers_cannot_become(name: str, what: str) -> None:
    need_root()
    with pytest.raises(ServeError) as caught:
        worker_user(name)
    assert caught.value.id is ErrorId.SERVE_USER_UNKNOWN
    assert what in caught.value.what
    assert caught.value.where == f"--user {name}"


def test_nobody_else_s_workers_become_anybody() -> None:
    need_root()
    # not even a name that does not exist is looked up
    assert as_nobody(lambda: repr(worker_user(NAMELESS))) == "None"


def test_rights_are_given_up_for_good() -> None:
    need_root()

    def part() -> str:
        drop_privileges(WorkerUser("nobody", NOBODY, NOBODY))
        with pytest.raises(PermissionError):
            os.setresuid(0, 0, 0)
        numbers = [*os.getresuid(), *os.getresgid()]
        return f"{set(numbers)} {os.getgroups()} {os.umask(0):o} {status_of_this_process('NoNewPrivs')}"

    assert in_a_child(part) == f"{ {NOBODY} } [] 77 1"


def test_a_process_has_a_name_of_its_own() -> None:
    def part() -> str:
        name_process("mirror-of-a-test-that-is-long")
        return Path("/proc/self/comm").read_text().strip()

    assert in_a_child(part) == "mirror-of-a-tes"


def test_as_many_descriptors_as_the_host_allows() -> None:
    def part() -> str:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, min(hard, 1000) if hard > 0 else 1000))
        raise_descriptor_limit()
        # what is raised already stays
        raise_descriptor_limit()
        return repr(resource.getrlimit(resource.RLIMIT_NOFILE))

    soft, hard = (int(number) for number in in_a_child(part).strip("()").split(", "))
    assert soft == hard
    assert 64 < soft <= 1000
