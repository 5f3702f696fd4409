"""What a Harbor needs before a push: it has to be healthy, and the projects of the images have to exist.

Owns waiting and which projects are created; other registries are left alone. Refuses to know HTTP.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, PublishError
from bundler.net.harbor.login_doubt import HEALTH_LAG_S, sick_text
from bundler.push.push_report import Projects
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.model.progress import Progress
    from bundler.net.interface import Harbor, HarborHealth, RegistryWriter
    from bundler.push.push_plan import PushPlan
    from bundler.push.push_report import PushReport, PushResult

RETRY_PAUSE_S = 2.0
NO_LIMIT = -1
# the errors of a Harbor that is starting: no connection, or a proxy without a service behind it
_MAY_PASS = frozenset({ErrorId.PUSH_UNREACHABLE, ErrorId.PUSH_REFUSED, ErrorId.PUSH_UNHEALTHY})


@dataclass(frozen=True, slots=True)
class WaitPolicy:
    """How long to wait for a registry, in seconds, 0 for not at all; `sleep` and `clock` are for tests."""

    wait_s: float = 0.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class NewProjects:
    """The settings of new projects: whether anybody may pull, and a limit in bytes (-1: none)."""

    public: bool = True
    quota_bytes: int = NO_LIMIT


def await_registry(writer: RegistryWriter, harbor: Harbor, wait: WaitPolicy, progress: Progress) -> bool:
    """Wait until the registry answers and accepts the credentials; returns whether it is a Harbor.

    A Harbor has to be healthy as well, and is asked that before the login, for without its database it refuses correct
    credentials; without waiting time an unhealthy one is used all the same, because not every component is needed.
    Raises PublishError.
    """
    waiting = _Waiting(writer, harbor, wait, progress)
    until_s = wait.clock() + wait.wait_s
    while True:
        try:
            return waiting.look()
        except PublishError as error:
            if error.id not in _MAY_PASS or wait.clock() >= until_s:
                raise
            progress.note(
                tr(
                    "{sentence}; looking again in {retry_pause_s:g} s",
                    sentence=error.sentence,
                    retry_pause_s=RETRY_PAUSE_S,
                )
            )
        wait.sleep(RETRY_PAUSE_S)


@dataclass(slots=True)
class _Waiting:
    """One wait; `sick` is what was unhealthy when it was last, at `sick_s`."""

    writer: RegistryWriter
    harbor: Harbor
    wait: WaitPolicy
    progress: Progress
    sick: HarborHealth | None = None
    sick_s: float = 0.0

    def look(self) -> bool:
        """Return whether it is a Harbor, once it may be used. Raises PublishError."""
        self.writer.reach()
        if not self.harbor.is_harbor():
            self.writer.log_in()
            return False
        health = self.harbor.health()
        if not health.healthy:
            self.sick, self.sick_s = health, self.wait.clock()
            if self.wait.wait_s:
                raise _unhealthy_error(self.writer.host, health)
            self.progress.note(
                tr("{health_text}; trying all the same", health_text=_health_text(self.writer.host, health))
            )
        try:
            self.writer.log_in()
        except PublishError as error:
            raise self._judged(error) from error
        return True

    def _judged(self, error: PublishError) -> PublishError:
        """Return the error for a failed login: one that may pass where Harbor was not healthy just now."""
        if error.id != ErrorId.PUSH_UNAUTHORIZED or self.sick is None:
            return error
        if self.wait.clock() - self.sick_s >= HEALTH_LAG_S:
            return error
        what = f"{error.what}; {sick_text(_components(self.sick))}"
        if self.wait.wait_s:
            return replace(_unhealthy_error(self.writer.host, self.sick), what=what)
        remedy = tr(
            "Mend that first (`docker ps` on its host), or wait for it with --wait 300. {remedy}", remedy=error.remedy
        )
        return replace(error, what=what, remedy=remedy)


def ensure_projects(plan: PushPlan, harbor: Harbor, new: NewProjects, *, dry_run: bool) -> Projects:
    """Create the projects that are missing, and leave existing ones alone.

    A project that this account may not see is assumed to exist: the push will show. Raises PublishError:
    PUSH_NAME_INVALID (with every name that Harbor cannot hold), and errors that do not concern a single project.
    """
    if plan.harbor_problems:
        raise PublishError(
            ErrorId.PUSH_NAME_INVALID,
            tr("{count} names are none that Harbor can hold; nothing was sent", count=len(plan.harbor_problems)),
            remedy=tr("Put these images into a project with --project GLOB=PROJECT, or leave them out with --only."),
            problems=plan.harbor_problems,
        )
    empty: list[str] = []
    unlimited: list[str] = []
    refused: dict[str, PublishError] = {}
    for name in plan.projects:
        if harbor.has_project(name) is not False:
            continue
        try:
            if dry_run or harbor.create_project(name, public=new.public, quota_bytes=new.quota_bytes):
                empty.append(name)
                if not dry_run and not _is_limited(harbor, name, new):
                    unlimited.append(name)
        except PublishError as error:
            if error.id != ErrorId.PUSH_PROJECT_REFUSED:
                raise
            refused[name] = error
    return Projects(tuple(empty), refused, tuple(unlimited))


def _is_limited(harbor: Harbor, name: str, new: NewProjects) -> bool:
    """Tell whether a new project has the wanted limit: of an account that is no administrator Harbor drops it."""
    return new.quota_bytes == NO_LIMIT or harbor.quota_bytes(name) in (new.quota_bytes, None)


def explained(report: PushReport) -> PushReport:
    """Say of refusals in a project that this run has created that its creator has no right there.

    A robot of the system may create projects, and has rights in those alone that it was given.
    """

    def explain(result: PushResult) -> PushResult:
        error, project = result.error, result.push.target.project
        if not isinstance(error, PublishError) or error.id != ErrorId.PUSH_UNAUTHORIZED:
            return result
        if project not in report.projects.empty:
            return result
        what = tr(
            "{what}; this account could create the project {project!r}, and may not push into it",
            what=error.what,
            project=project,
        )
        remedy = tr(
            "A robot has its rights project by project: give it the one to push into {project!r}, which stays there "
            "empty (Harbor: Administration > Robot Accounts), or push with the account of a person.",
            project=project,
        )
        return replace(result, error=replace(error, what=what, remedy=remedy))

    return replace(report, results=tuple(map(explain, report.results)))


def _health_text(host: str, health: HarborHealth) -> str:
    return tr("Harbor at {host} says that it is not healthy ({components})", host=host, components=_components(health))


def _components(health: HarborHealth) -> str:
    return ", ".join(health.unhealthy_components) or tr("no component named")


def _unhealthy_error(host: str, health: HarborHealth) -> PublishError:
    return PublishError(
        ErrorId.PUSH_UNHEALTHY,
        _health_text(host, health),
        remedy=tr("See `docker ps` and the components' logs on its host; leave --wait out to push all the same."),
    )
