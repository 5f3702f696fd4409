"""A robot account for edge nodes that pull: created once, its secret stored in a file that only its owner can read.

Owns the order (check the projects, find the robot, open the file, create the robot, write the file) and what a second
run does; refuses to know HTTP. Harbor shows a secret once, so no robot is created before its file can be written.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.durable import storage_errors
from bundler.errors import BundlerError, ErrorId, PublishError
from bundler.model.robot import RobotLogin, client_config, held_for
from bundler.net.harbor.robots import exists
from bundler.partial_file import remove_partial_files, replacing
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bundler.model.robot import MadeRobot, NewRobot, Robot
    from bundler.net.interface import Harbor, Robots

FILE_MODE = 0o600
MAX_FILE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class RobotRequest:
    """The wanted robot account and its file.

    Arguments:
        host: the registry's name, for messages.
        hosts: every name under which clients that use the file reach it.
        earlier: the sets of names that a file has which was made before the registry had TLS, or after; its
            credentials are still the robot's, and it is written anew with `hosts`.
        file: the file for the credentials.
        renew: give an existing robot another secret.
        accepts: tells whether the registry still accepts some credentials.
    """

    robot: NewRobot
    host: str
    hosts: tuple[str, ...]
    file: Path
    renew: bool
    accepts: Callable[[RobotLogin], bool]
    earlier: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class RobotReport:
    """The outcome; `robot` is None in a dry run that would create one."""

    outcome: Literal["made", "renewed", "present", "missing"]
    robot: Robot | None


def ensure_robot(request: RobotRequest, harbor: Harbor, robots: Robots, *, dry_run: bool = False) -> RobotReport:
    """Create the robot and its file, or find that both exist.

    Raises PublishError: ROBOT_NO_HARBOR, ROBOT_NO_PROJECT, ROBOT_FILE_TAKEN, ROBOT_EXISTS, ROBOT_REFUSED; StorageError.
    Nothing is left half done: a robot whose file could not be written is deleted again.
    """
    if not dry_run:
        # a killed run may have left a secret there
        remove_partial_files(request.file.parent, (request.file.name,))
    if not harbor.is_harbor():
        raise _no_harbor(request.host)
    _require_projects(request, harbor)
    found = robots.find(request.robot)
    if (held := _serving(request, found)) is not None:
        _bring_up_to_date(request, held, dry_run=dry_run)
        return RobotReport("present", found)
    if found is not None:
        _require_renewable(request, found)
    if dry_run:
        return RobotReport("missing", found)
    with replacing(request.file, mode=FILE_MODE) as put:
        made = robots.create(request.robot) if found is None else robots.renew(found)
        try:
            put(client_config(request.hosts, RobotLogin(made.robot.name, made.secret)))
        except BaseException:
            _roll_back(made, found, robots)
            raise
    return RobotReport("made" if found is None else "renewed", made.robot)


def _require_projects(request: RobotRequest, harbor: Harbor) -> None:
    missing = [name for name in request.robot.projects if harbor.has_project(name) is False]
    if missing:
        raise PublishError(
            ErrorId.ROBOT_NO_PROJECT,
            tr("there is no project {missing}", missing=", ".join(missing)),
            where=request.host,
            remedy=tr(
                "`bundler push-images` creates the projects of the images that it pushes; or create them in Harbor."
            ),
        )


def _serving(request: RobotRequest, found: Robot | None) -> RobotLogin | None:
    """Return the file's credentials if they are the robot's and valid; raise when it is another file."""
    with storage_errors(request.file):
        try:
            with request.file.open("rb") as file:
                data = file.read(MAX_FILE_BYTES)
        except FileNotFoundError:
            return None
    held = held_for(data, (request.hosts, *request.earlier))
    if held is None:
        raise _file_taken(request, tr("is there already and no file of this command for this registry"))
    if found is not None and held.username == found.name:
        return held if not request.renew and _serves(request, found) and request.accepts(held) else None
    if request.accepts(held):
        raise _file_taken(
            request, tr("holds the credentials of {username!r}, which still serve", username=held.username)
        )
    return None


def _bring_up_to_date(request: RobotRequest, held: RobotLogin, *, dry_run: bool) -> None:
    """Write the file anew where it does not name the registry as its clients do now."""
    wanted = client_config(request.hosts, held)
    with storage_errors(request.file):
        is_current = request.file.read_bytes() == wanted
    if not is_current and not dry_run:
        with replacing(request.file, mode=FILE_MODE) as put:
            put(wanted)


def _serves(request: RobotRequest, robot: Robot) -> bool:
    return not robot.disabled and robot.projects >= set(request.robot.projects)


def _require_renewable(request: RobotRequest, found: Robot) -> None:
    projects = ", ".join(sorted(found.projects)) or tr("no project")
    if not _serves(request, found):
        state = tr("is disabled") if found.disabled else tr("may pull from {projects}", projects=projects)
        raise PublishError(
            ErrorId.ROBOT_EXISTS,
            tr("there is a robot account {name!r} already, which {state}", name=found.name, state=state),
            where=request.host,
            remedy=tr("Choose another --name, or change or remove it in Harbor."),
        )
    if not request.renew:
        raise exists(request.host, found.name, tr(", which may pull from {projects}", projects=projects))


def _roll_back(made: MadeRobot, found: Robot | None, robots: Robots) -> None:
    """Delete a robot whose secret nobody has; an error of that is dropped, for the first one is to be reported."""
    if found is None:
        with suppress(BundlerError):
            robots.remove(made.robot)


def _no_harbor(host: str) -> PublishError:
    return PublishError(
        ErrorId.ROBOT_NO_HARBOR,
        tr("this registry is no Harbor, and has no robot accounts"),
        where=host,
        remedy=tr("Make an account by the registry's own means."),
    )


def _file_taken(request: RobotRequest, what: str) -> PublishError:
    return PublishError(
        ErrorId.ROBOT_FILE_TAKEN,
        what,
        where=str(request.file),
        remedy=tr("Name another file with --output, or move this one away."),
    )
