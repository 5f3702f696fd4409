"""Robot accounts of a Harbor, and the file that hands one's credentials to container engines. Pure.

Owns which names and terms Harbor accepts (src/server/v2.0/handler/robot.go, validateName and isValidDuration) and the
form of the file: a Docker client configuration, as `docker login` writes it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from bundler.model.image.site_name import name_problem, project_problem
from bundler.model.json_value import load_strict, want_text
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable

NEVER = -1
MAX_DAYS = 2**31 - 2


@dataclass(frozen=True, slots=True)
class NewRobot:
    """A robot that may pull from some projects and nothing else.

    Arguments:
        name: without the prefix that Harbor puts before it; words joined by one of . _ -, else ValueError.
        projects: at least one, sorted here.
        days: how long it lives, NEVER for ever.
    """

    name: str
    projects: tuple[str, ...]
    days: int = NEVER

    def __post_init__(self) -> None:
        problems = [name_problem("robot", self.name), *(project_problem(project) for project in self.projects)]
        if not self.projects:
            problems.append(tr("a robot wants at least one project"))
        if self.days != NEVER and not 1 <= self.days <= MAX_DAYS:
            problems.append(tr("a robot lives 1 to {max_days} days, not {days}", max_days=MAX_DAYS, days=self.days))
        if problem := next(filter(None, problems), ""):
            raise ValueError(problem)
        object.__setattr__(self, "projects", tuple(sorted(set(self.projects))))

    @property
    def level(self) -> Literal["project", "system"]:
        """A robot of one project is the project's own, which its administrator may make; others are the system's."""
        return "project" if len(self.projects) == 1 else "system"

    @property
    def stored_name(self) -> str:
        """What Harbor keeps it under: a project's own robots have the project's name before theirs."""
        return f"{self.projects[0]}+{self.name}" if self.level == "project" else self.name


@dataclass(frozen=True, slots=True)
class Robot:
    """A robot that is there.

    Arguments:
        name: with Harbor's prefix, as it logs in.
        projects: those that it may pull from.
        expires_at_s: seconds since the epoch, NEVER where it does not.
    """

    id: int
    name: str
    projects: frozenset[str]
    expires_at_s: int = NEVER
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class MadeRobot:
    """A robot and its secret, which Harbor tells this once."""

    robot: Robot
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RobotLogin:
    """What a file holds of one robot."""

    username: str
    secret: str = field(repr=False)


def client_config(hosts: Iterable[str], credentials: RobotLogin) -> bytes:
    """Return the file's content: the same credentials for each of a registry's names."""
    pair = base64.b64encode(f"{credentials.username}:{credentials.secret}".encode()).decode()
    value = {"auths": {host: {"auth": pair} for host in sorted(set(hosts))}}
    return json.dumps(value, indent=2).encode() + b"\n"


def held_for(data: bytes, forms: Iterable[Iterable[str]]) -> RobotLogin | None:
    """Return what a file of `client_config` for one of some sets of hosts holds; None for any other file."""
    return next((held for hosts in forms if (held := held_login(data, hosts)) is not None), None)


def held_login(data: bytes, hosts: Iterable[str]) -> RobotLogin | None:
    """Return what a file of `client_config` for these hosts holds; None for any other file."""
    try:
        entries = list(load_strict(data)["auths"].values())
        (pair,) = {want_text(entry["auth"]) for entry in entries}
        username, colon, secret = base64.b64decode(pair, validate=True).decode().partition(":")
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    found = RobotLogin(username, secret)
    return found if colon and data == client_config(hosts, found) else None
