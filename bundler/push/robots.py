"""A robot account that the edge nodes pull with: made once, its secret kept in a file that only its owner reads.

Owns the order (projects, what is there, a file to write into, the robot, its file) and what a second run does; refuses
to know HTTP. Harbor tells a secret once, so no robot is made before its file can be written.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.durable import replacing, storage_errors
from bundler.errors import BundlerError, ErrorId, PublishError
from bundler.model.robot import RobotLogin, client_config, held_login
from bundler.net.harbor.robots import exists

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bundler.model.robot import MadeRobot, NewRobot, Robot
    from bundler.net.interface import Harbor, Robots

FILE_MODE = 0o600
MAX_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class RobotWish:
    """What is asked for.

    Arguments:
        host: what the registry is called, for messages.
        hosts: every name that clients of the file know it by.
        file: takes the credentials.
        renew: give a robot that is there another secret.
        accepts: asks the registry whether it still takes some credentials.
    """

    robot: NewRobot
    host: str
    hosts: tuple[str, ...]
    file: Path
    renew: bool
    accepts: Callable[[RobotLogin], bool]


@dataclass(frozen=True, slots=True)
class RobotReport:
    """What became of it; `robot` is None in a dry run that would make one."""

    outcome: Literal["made", "renewed", "present", "missing"]
    robot: Robot | None


def ensure_robot(wish: RobotWish, harbor: Harbor, robots: Robots, *, dry_run: bool = False) -> RobotReport:
    """Make the robot and its file, or find both there.

    Raises PublishError: ROBOT_NO_HARBOR, ROBOT_NO_PROJECT, ROBOT_FILE_TAKEN, ROBOT_EXISTS, ROBOT_REFUSED; StorageError.
    Nothing is left half done: a robot whose file could not be written is removed again.
    """
    if not harbor.is_harbor():
        raise _no_harbor(wish.host)
    _require_projects(wish, harbor)
    found = robots.find(wish.robot)
    if _is_done(wish, found):
        return RobotReport("present", found)
    if found is not None:
        _require_renewable(wish, found)
    if dry_run:
        return RobotReport("missing", found)
    with replacing(wish.file, mode=FILE_MODE) as put:
        made = robots.create(wish.robot) if found is None else robots.renew(found)
        try:
            put(client_config(wish.hosts, RobotLogin(made.robot.name, made.secret)))
        except BaseException:
            _take_back(made, found, robots)
            raise
    return RobotReport("made" if found is None else "renewed", made.robot)


def _require_projects(wish: RobotWish, harbor: Harbor) -> None:
    missing = [name for name in wish.robot.projects if harbor.has_project(name) is False]
    if missing:
        raise PublishError(
            ErrorId.ROBOT_NO_PROJECT,
            f"there is no project {', '.join(missing)}",
            where=wish.host,
            remedy="`bundler push-images` creates the projects of the images that it pushes; or create them in Harbor.",
        )


def _is_done(wish: RobotWish, found: Robot | None) -> bool:
    """Tell whether the file has the robot's credentials and they serve; raise where the file is something else."""
    with storage_errors(wish.file):
        try:
            with wish.file.open("rb") as file:
                data = file.read(MAX_FILE_BYTES)
        except FileNotFoundError:
            return False
    held = held_login(data, wish.hosts)
    if held is None:
        raise _file_taken(wish, "is there already and no file of this command for this registry")
    if found is not None and held.username == found.name:
        return not wish.renew and _serves(wish, found) and wish.accepts(held)
    if wish.accepts(held):
        raise _file_taken(wish, f"holds the credentials of {held.username!r}, which still serve")
    return False


def _serves(wish: RobotWish, robot: Robot) -> bool:
    return not robot.disabled and robot.projects >= set(wish.robot.projects)


def _require_renewable(wish: RobotWish, found: Robot) -> None:
    projects = ", ".join(sorted(found.projects)) or "no project"
    if not _serves(wish, found):
        state = "is disabled" if found.disabled else f"may pull from {projects}"
        raise PublishError(
            ErrorId.ROBOT_EXISTS,
            f"there is a robot account {found.name!r} already, which {state}",
            where=wish.host,
            remedy="Choose another --name, or change or remove it in Harbor.",
        )
    if not wish.renew:
        raise exists(wish.host, found.name, f", which may pull from {projects}")


def _take_back(made: MadeRobot, found: Robot | None, robots: Robots) -> None:
    """Remove a robot whose secret nobody has; what went wrong first is what to tell."""
    if found is None:
        with suppress(BundlerError):
            robots.remove(made.robot)


def _no_harbor(host: str) -> PublishError:
    return PublishError(
        ErrorId.ROBOT_NO_HARBOR,
        "this registry is no Harbor, and has no robot accounts",
        where=host,
        remedy="Make an account by the registry's own means.",
    )


def _file_taken(wish: RobotWish, what: str) -> PublishError:
    return PublishError(
        ErrorId.ROBOT_FILE_TAKEN,
        what,
        where=str(wish.file),
        remedy="Name another file with --output, or move this one away.",
    )
