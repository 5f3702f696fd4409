"""Harbor's own API below /api/v2.0, and what one Harbor knows, as 2.5.0 and 2.12.4 were seen to answer.

Owns projects, health and systeminfo (robots: `harbor_robots.py`); `harbor_front.py` serves it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.integration.harbor_robots import HarborRobots, no_project, project_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.registries import Registry

PROJECT = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
COMPONENTS = ("core", "database", "jobservice", "portal", "redis", "registry", "registryctl")
NO_LIMIT = -1
_GO_TEXT = "cannot unmarshal bool into Go struct field ProjectMetadata.metadata.public of type string"


def said(status: int, code: str, message: str) -> tuple[int, dict[str, Any]]:
    """Return status and JSON of an error."""
    return status, {"errors": [{"code": code, "message": message}]}


@dataclass(slots=True)
class HarborFront:
    """A running front.

    Arguments:
        version: 2.5.0 or 2.12.4, which differ in what they say of a project that is missing.
        unhealthy: how many more times health is asked before it is well; `sick` is the component.
        admins: the system's administrators, whose limits for new projects count.
        creators: who may create projects, None for everybody, which is Harbor's default.
        rights: user -> the only projects that it has a right in; whoever is not named has all.
        read_only: whether nothing may be changed.
        limits: project -> how many bytes it may hold; `used` counts what came.
        fixed: `project/repository:tag` of immutable tags.
        racing: projects that somebody else creates just before ours is.
        requests: `METHOD PATH STATUS` of the API, in order.
    """

    registry: Registry
    projects: set[str]
    version: str = "2.5.0"
    unhealthy: int = 0
    sick: str = "core"
    admins: frozenset[str] = frozenset({"admin"})
    creators: frozenset[str] | None = None
    rights: Mapping[str, frozenset[str]] = field(default_factory=dict)
    read_only: bool = False
    limits: dict[str, int] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    racing: frozenset[str] = frozenset()
    host: str = ""
    created: list[dict[str, Any]] = field(default_factory=list)
    robots: HarborRobots = field(init=False)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        assert self.registry.tokens is not None
        self.registry.tokens.lenient = True
        self.robots = HarborRobots(self.registry.tokens, self.projects, self.admins, self.version)

    def api(self, method: str, url: str, user: str | None, body: bytes) -> tuple[int, Any]:
        """Return status and JSON for a request to the API; `user` is None where nobody or a wrong password asks."""
        parts = urlsplit(url)
        path = parts.path.removeprefix("/api/v2.0/")
        if path == "systeminfo":
            return 200, {"auth_mode": "db_auth", "harbor_version": f"v{self.version}-35fd12c1"}
        if path == "health":
            return 200, self._health()
        if user is None:
            return said(401, "UNAUTHORIZED", "unauthorized")
        if self.read_only and method not in ("GET", "HEAD"):
            return self.frozen()
        if path.startswith("robots"):
            return self.robots.api(method, path, parse_qs(parts.query), user, body)
        if method == "GET":
            return self._project(path.removeprefix("projects/"))
        if method == "HEAD":
            (name,) = parse_qs(parts.query)["project_name"]
            return (200 if name in self.projects else 404), None
        return self._create(json.loads(body), user)

    def frozen(self) -> tuple[int, Any]:
        """Return the refusal of the read-only mode."""
        return said(403, "DENIED", "The system is in read only mode. Any modification is prohibited.")

    def over_quota(self, project: str, size: int) -> str:
        """Count what came into a project; returns why that is too much, or ""."""
        limit, used = self.limits.get(project, NO_LIMIT), self.used.get(project, 0)
        if limit != NO_LIMIT and used + size > limit:
            return (
                f"adding {size / 1024:.1f} KiB of storage resource, which when updated to current usage of "
                f"{used / 1024:.1f} KiB will exceed the configured upper limit of {limit / 1024:.1f} KiB."
            )
        self.used[project] = used + size
        return ""

    def _health(self) -> dict[str, Any]:
        self.unhealthy -= 1
        states = dict.fromkeys(COMPONENTS, "healthy")
        if self.unhealthy >= 0:
            states[self.sick] = "unhealthy"
        return {
            "status": "healthy" if self.unhealthy < 0 else "unhealthy",
            "components": [{"name": name, "status": status} for name, status in states.items()],
        }

    def _project(self, path: str) -> tuple[int, Any]:
        name, _, part = path.partition("/")
        if name not in self.projects:
            return no_project(self.version, name)
        if part == "summary":
            hard, used = self.limits.get(name, NO_LIMIT), self.used.get(name, 0)
            return 200, {"project_admin_count": 1, "quota": {"hard": {"storage": hard}, "used": {"storage": used}}}
        return 200, {"name": name, "project_id": project_id(name)}

    def _create(self, wanted: dict[str, Any], user: str) -> tuple[int, Any]:
        name = wanted["project_name"]
        if self.creators is not None and user not in self.creators:
            return said(403, "FORBIDDEN", "Only system admin can create project")
        if not isinstance(wanted["metadata"]["public"], str):
            return said(422, "UNPROCESSABLE_ENTITY", f'parsing project body from "" failed, because json: {_GO_TEXT}')
        if not PROJECT.fullmatch(name):
            return said(400, "BAD_REQUEST", "project name is not in lower case or contains illegal characters")
        known = name in self.projects or name in self.racing
        self.projects.add(name)
        if known:
            return said(409, "CONFLICT", f"The project named {name} already exists")
        if user in self.admins:
            self.limits[name] = wanted.get("storage_limit", -1)
        self.created.append(wanted)
        return 201, None
