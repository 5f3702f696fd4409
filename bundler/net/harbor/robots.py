"""Robot accounts by Harbor's API (src/server/v2.0/handler/robot.go). Implements `interface.Robots`.

Owns a robot's rights (pull from projects, nothing else) and how one is found; refuses to decide which robots there
should be, and to keep a secret.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from bundler.errors import ErrorId, PublishError
from bundler.model.json_value import objects
from bundler.model.robot import NEVER, MadeRobot, NewRobot, Robot
from bundler.net.harbor.projects import json_object, json_value
from bundler.net.http.status import error_for_status, is_success
from bundler.net.registry.errors import first_code, quoted_errors
from bundler.net.registry.push_errors import FROZEN_REMEDY, is_frozen
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.net.harbor.projects import HarborApi
    from bundler.net.interface import Response

_OK, _NOT_FOUND, _CONFLICT = 200, 404, 409
PULL = {"resource": "repository", "action": "pull"}


class HarborRobots:
    """See `interface.Robots`."""

    def __init__(self, api: HarborApi) -> None:
        self._api = api

    def find(self, wanted: NewRobot) -> Robot | None:
        """Search by the name that Harbor stores, without prefix, at the level at which such a robot is created."""
        # Harbor unescapes the whole of q once more (src/lib/q/builder.go, parseKeywords): a + would become a blank
        terms = [f"name={quote(wanted.stored_name, safe='')}"]
        if wanted.level == "project":
            terms += ["Level=project", f"ProjectID={self._project_id(wanted.projects[0])}"]

        def read(response: Response) -> Robot | None:
            if response.status != _OK:
                raise self._refused(tr("does not tell its robot accounts"), response)
            found = json_value(response)
            listed = map(_robot, objects(found))
            # a server that ignores the query lists others too
            return next((robot for robot in listed if robot and robot.name.endswith(wanted.stored_name)), None)

        return self._api.request(
            "GET", f"robots?{urlencode({'q': ','.join(terms)})}", read, credentials=self._api.credentials()
        )

    def create(self, wanted: NewRobot) -> MadeRobot:
        """Request the right to pull, project by project."""
        body = {
            "name": wanted.name,
            "description": "pulls images for edge nodes",
            "duration": wanted.days,
            "level": wanted.level,
            "disable": False,
            "permissions": [{"kind": "project", "namespace": name, "access": [PULL]} for name in wanted.projects],
        }

        def read(response: Response) -> MadeRobot:
            if response.status == _CONFLICT:
                raise exists(self._api.host, wanted.stored_name)
            if not is_success(response.status):
                raise self._refused(tr("does not make the robot account {name!r}", name=wanted.name), response)
            made = json_object(response)
            robot, secret = _robot(made), made.get("secret")
            if robot is None or not isinstance(secret, str) or not secret:
                raise self._unclear(response)
            return MadeRobot(Robot(robot.id, robot.name, frozenset(wanted.projects), robot.expires_at_s), secret)

        return self._api.request(
            "POST", "robots", read, credentials=self._api.credentials(), body=json.dumps(body).encode()
        )

    def renew(self, robot: Robot) -> MadeRobot:
        """Have Harbor generate a secret: that is what an empty one means."""

        def read(response: Response) -> MadeRobot:
            if not is_success(response.status):
                raise self._refused(tr("gives the robot account {name!r} no other secret", name=robot.name), response)
            secret = json_object(response).get("secret")
            if not isinstance(secret, str) or not secret:
                raise self._unclear(response)
            return MadeRobot(robot, secret)

        return self._api.request(
            "PATCH", f"robots/{robot.id}", read, credentials=self._api.credentials(), body=b'{"secret": ""}'
        )

    def remove(self, robot: Robot) -> None:
        """Delete it; that it does not exist any more is a success."""

        def read(response: Response) -> None:
            if not is_success(response.status) and response.status != _NOT_FOUND:
                raise self._refused(tr("does not remove the robot account {name!r}", name=robot.name), response)

        self._api.request("DELETE", f"robots/{robot.id}", read, credentials=self._api.credentials())

    def _project_id(self, name: str) -> int:
        def read(response: Response) -> int:
            found = json_object(response).get("project_id") if response.status == _OK else None
            if not isinstance(found, int):
                raise self._refused(tr("does not tell of the project {name!r}", name=name), response)
            return found

        # a project's name may consist of digits alone, as its id does
        return self._api.request(
            "GET", f"projects/{quote(name, safe='')}", read,
            credentials=self._api.credentials(), headers={"X-Is-Resource-Name": "true"},
        )  # fmt: skip

    def _refused(self, what: str, response: Response) -> Exception:
        error = error_for_status(response)
        if error.retryable:
            return error
        message = quoted_errors(response)
        return PublishError(
            ErrorId.ROBOT_REFUSED,
            f"Harbor {what}: {message or response.status}",
            where=self._api.host,
            remedy=FROZEN_REMEDY
            if is_frozen(message)
            else tr(
                "An administrator may: of the project for a robot of one project, of Harbor for one of several "
                "(docker login {host}, or --username and --password-stdin).",
                host=self._api.host,
            ),
            status=response.status,
            code=first_code(message),
        )

    def _unclear(self, response: Response) -> PublishError:
        return PublishError(
            ErrorId.ROBOT_REFUSED,
            tr("Harbor says that it is done and tells no secret"),
            where=self._api.host,
            remedy=tr("Look at the robot account in Harbor's web page; --renew asks for another secret."),
            status=response.status,
        )


def exists(host: str, name: str, more: str = "") -> PublishError:
    """Return the error for a robot that exists already; `more` says what is known about it."""
    return PublishError(
        ErrorId.ROBOT_EXISTS,
        tr(
            "there is a robot account {name!r} already{more}, and Harbor tells its secret only once",
            name=name,
            more=more,
        ),
        where=host,
        remedy=tr(
            "Give it another secret with --renew (whoever has the old one is locked out then), choose another "
            "--name, or remove it in Harbor."
        ),
    )


def _robot(item: dict[str, Any]) -> Robot | None:
    """Read one robot, None for anything else; rights other than pulling from a project are ignored."""
    number, name, expires = item.get("id"), item.get("name"), item.get("expires_at", NEVER)
    if not isinstance(number, int) or not isinstance(name, str) or not isinstance(expires, int):
        return None
    projects = frozenset(
        str(entry.get("namespace"))
        for entry in objects(item.get("permissions"))
        if entry.get("kind") == "project" and any(map(_is_pull, objects(entry.get("access"))))
    )
    return Robot(number, name, projects, expires, item.get("disable") is True)


def _is_pull(access: dict[str, Any]) -> bool:
    return all(access.get(key) == word for key, word in PULL.items())
