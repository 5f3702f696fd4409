"""Robot accounts by Harbor's API (src/server/v2.0/handler/robot.go). Implements `interface.Robots`.

Owns what a robot is asked for (pull from projects, nothing else) and how one is found; refuses to decide which there
should be, and to keep a secret.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from bundler.errors import ErrorId, PublishError
from bundler.model.robot import NEVER, MadeRobot, NewRobot, Robot
from bundler.net.harbor.projects import json_object, json_value
from bundler.net.http.status import error_for_status
from bundler.net.registry.errors import first_code, quoted_errors

if TYPE_CHECKING:
    from bundler.net.harbor.projects import HarborApi
    from bundler.net.interface import Answer

_OK, _CREATED, _NOT_FOUND, _CONFLICT = 200, 201, 404, 409
PULL = {"resource": "repository", "action": "pull"}


class HarborRobots:
    """See `interface.Robots`."""

    def __init__(self, api: HarborApi) -> None:
        self._api = api

    def find(self, wanted: NewRobot) -> Robot | None:
        """Ask by the name that Harbor keeps, which has no prefix, at the level that such a robot is made at."""
        terms = [f"name={wanted.stored_name}"]
        if wanted.level == "project":
            terms += ["Level=project", f"ProjectID={self._project_id(wanted.projects[0])}"]

        def read(answer: Answer) -> Robot | None:
            if answer.status != _OK:
                raise self._refused("does not tell its robot accounts", answer)
            found = json_value(answer)
            listed = [_robot(item) for item in found if isinstance(item, dict)] if isinstance(found, list) else []
            # whoever does not heed the query would tell of others too
            return next((robot for robot in listed if robot and robot.name.endswith(wanted.stored_name)), None)

        return self._api.ask(
            "GET", f"robots?{urlencode({'q': ','.join(terms)})}", read, credentials=self._api.credentials()
        )

    def create(self, wanted: NewRobot) -> MadeRobot:
        """Ask for the right to pull, project by project."""
        body = {
            "name": wanted.name,
            "description": "pulls images for edge nodes",
            "duration": wanted.days,
            "level": wanted.level,
            "disable": False,
            "permissions": [{"kind": "project", "namespace": name, "access": [PULL]} for name in wanted.projects],
        }

        def read(answer: Answer) -> MadeRobot:
            if answer.status == _CONFLICT:
                raise exists(self._api.host, wanted.stored_name)
            if answer.status != _CREATED:
                raise self._refused(f"does not make the robot account {wanted.name!r}", answer)
            made = json_object(answer)
            robot, secret = _robot(made), made.get("secret")
            if robot is None or not isinstance(secret, str) or not secret:
                raise self._unclear(answer)
            return MadeRobot(Robot(robot.id, robot.name, frozenset(wanted.projects), robot.expires_at_s), secret)

        return self._api.ask(
            "POST", "robots", read, credentials=self._api.credentials(), body=json.dumps(body).encode()
        )

    def renew(self, robot: Robot) -> MadeRobot:
        """Have Harbor think of a secret: an empty one asks for that."""

        def read(answer: Answer) -> MadeRobot:
            if answer.status != _OK:
                raise self._refused(f"gives the robot account {robot.name!r} no other secret", answer)
            secret = json_object(answer).get("secret")
            if not isinstance(secret, str) or not secret:
                raise self._unclear(answer)
            return MadeRobot(robot, secret)

        return self._api.ask(
            "PATCH", f"robots/{robot.id}", read, credentials=self._api.credentials(), body=b'{"secret": ""}'
        )

    def remove(self, robot: Robot) -> None:
        """Take it away; that it is gone already is as good."""

        def read(answer: Answer) -> None:
            if answer.status not in (_OK, _NOT_FOUND):
                raise self._refused(f"does not remove the robot account {robot.name!r}", answer)

        self._api.ask("DELETE", f"robots/{robot.id}", read, credentials=self._api.credentials())

    def _project_id(self, name: str) -> int:
        def read(answer: Answer) -> int:
            found = json_object(answer).get("project_id") if answer.status == _OK else None
            if not isinstance(found, int):
                raise self._refused(f"does not tell of the project {name!r}", answer)
            return found

        # a project may be called by digits alone
        return self._api.ask(
            "GET", f"projects/{quote(name, safe='')}", read,
            credentials=self._api.credentials(), headers={"X-Is-Resource-Name": "true"},
        )  # fmt: skip

    def _refused(self, what: str, answer: Answer) -> Exception:
        error = error_for_status(answer)
        if error.retryable:
            return error
        said = quoted_errors(answer)
        return PublishError(
            ErrorId.ROBOT_REFUSED,
            f"Harbor {what}: {said or answer.status}",
            where=self._api.host,
            remedy="An administrator may: of the project for a robot of one project, of Harbor for one of several "
            f"(docker login {self._api.host}, or --username and --password-stdin).",
            status=answer.status,
            code=first_code(said),
        )

    def _unclear(self, answer: Answer) -> PublishError:
        return PublishError(
            ErrorId.ROBOT_REFUSED,
            "Harbor says that it is done and tells no secret",
            where=self._api.host,
            remedy="Look at the robot account in Harbor's web page; --renew asks for another secret.",
            status=answer.status,
        )


def exists(host: str, name: str, more: str = "") -> PublishError:
    """Return the error for a robot that is there already; `more` says what is known of it."""
    return PublishError(
        ErrorId.ROBOT_EXISTS,
        f"there is a robot account {name!r} already{more}, and Harbor tells its secret only once",
        where=host,
        remedy="Give it another secret with --renew (whoever has the old one is locked out then), choose another "
        "--name, or remove it in Harbor.",
    )


def _robot(item: dict[str, Any]) -> Robot | None:
    """Read one robot, None where it is none; rights that are no pulling from a project are none of ours."""
    number, name, expires = item.get("id"), item.get("name"), item.get("expires_at", NEVER)
    if not isinstance(number, int) or not isinstance(name, str) or not isinstance(expires, int):
        return None
    given = [entry for entry in item.get("permissions") or [] if isinstance(entry, dict)]
    projects = frozenset(
        str(entry.get("namespace"))
        for entry in given
        if entry.get("kind") == "project" and any(_is_pull(access) for access in entry.get("access") or [])
    )
    return Robot(number, name, projects, expires, item.get("disable") is True)


def _is_pull(access: Any) -> bool:
    return isinstance(access, dict) and all(access.get(key) == word for key, word in PULL.items())
