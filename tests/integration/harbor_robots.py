"""Harbor's robot accounts, whose tokens a token service then gives out; as 2.5.0 and 2.12.4 were seen to answer.

`q` is unescaped once more after the URL was (src/lib/q/builder.go, parseKeywords).
"""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.integration.token_service import TokenService

PREFIX = "robot$"
NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
DAY_S = 86400


def project_id(name: str) -> int:
    """Return what Harbor's database would number a project."""
    return sum(name.encode())


@dataclass(slots=True)
class HarborRobots:
    """The robots of one Harbor; `known` has them as the API lists them, without secrets."""

    tokens: TokenService
    projects: Collection[str]
    admins: frozenset[str]
    version: str = "2.5.0"
    known: list[dict[str, Any]] = field(default_factory=list)
    wanted: list[dict[str, Any]] = field(default_factory=list)

    def api(
        self, method: str, path: str, query: dict[str, list[str]], user: str, body: bytes
    ) -> tuple[int, dict[str, Any] | list[dict[str, Any]] | None]:
        """Return status and JSON for a request below /robots."""
        if user not in self.admins:
            return 403, _error("FORBIDDEN", user)
        if path == "robots":
            return self._create(json.loads(body)) if method == "POST" else (200, self._listed(query["q"][0]))
        number = int(path.removeprefix("robots/"))
        robot = next((robot for robot in self.known if robot["id"] == number), None)
        if robot is None:
            return 404, _error("NOT_FOUND", f"robot {number} not found")
        if method == "DELETE":
            self.known.remove(robot)
            del self.tokens.robots[robot["name"]]
            return 200, None
        assert json.loads(body) == {"secret": ""}, "any other secret would have to be made here"
        return 200, {"secret": self._admit(robot)}

    def _create(self, wanted: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.wanted.append(wanted)
        names = [permission["namespace"] for permission in wanted["permissions"]]
        if not NAME.fullmatch(wanted["name"]) or (wanted["level"] == "project" and len(names) != 1):
            return 400, _error("BAD_REQUEST", "robot name is not in lower case or contains illegal characters")
        if missing := [name for name in names if name not in self.projects]:
            return no_project(self.version, missing[0])
        stored = f"{names[0]}+{wanted['name']}" if wanted["level"] == "project" else wanted["name"]
        if any(robot["name"] == PREFIX + stored for robot in self.known):
            number = project_id(names[0]) if wanted["level"] == "project" else 0
            return 409, _error("CONFLICT", f"robot account {number}:{stored} already exists")
        days = wanted["duration"]
        robot = {
            **wanted,
            "id": len(self.known) + 1,
            "name": PREFIX + stored,
            "expires_at": -1 if days == -1 else int(time.time()) + days * DAY_S,
        }
        self.known.append(robot)
        kept = {key: robot[key] for key in ("id", "name", "expires_at")}
        return 201, {**kept, "secret": self._admit(robot), "creation_time": "2021-09-01T12:00:00Z"}

    def _listed(self, query: str) -> list[dict[str, Any]]:
        terms = dict(term.split("=", 1) for term in unquote_plus(query).split(","))
        level = terms.get("Level", "system")
        found = [robot for robot in self.known if robot["level"] == level and robot["name"] == PREFIX + terms["name"]]
        if level == "project":
            return [
                robot for robot in found if project_id(robot["permissions"][0]["namespace"]) == int(terms["ProjectID"])
            ]
        return found

    def _admit(self, robot: dict[str, Any]) -> str:
        secret = secrets.token_urlsafe(24)
        self.tokens.robots[robot["name"]] = (secret, frozenset(entry["namespace"] for entry in robot["permissions"]))
        return secret


def no_project(version: str, name: str) -> tuple[int, dict[str, Any]]:
    """Return what a Harbor answers that has no such project."""
    if version == "2.5.0":
        return 403, _error("FORBIDDEN", "forbidden")
    return 404, _error("NOT_FOUND", f"project {name} not found")


def _error(code: str, message: str) -> dict[str, Any]:
    return {"errors": [{"code": code, "message": message}]}
