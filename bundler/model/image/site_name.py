"""Names of images on the site: what push makes in the registry and what the mirror answers to (docs/design.md, 9)."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.reference import Reference

DEFAULT_PROJECT = "library"
# Docker's hub is left out of the names that people type
_UNSPOKEN = ("docker.io/", "library/")
MAX_REPOSITORY_CHARACTERS = 255
MAX_PROJECT_CHARACTERS = 255
# Harbor src/server/v2.0/handler/project.go, projectNameRegex; stricter than the registry's own path components
_PROJECT = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


def site_repository(reference: Reference) -> str:
    """Return `project/repository` for an image: source host dropped, one segment put into `library`."""
    return reference.path if "/" in reference.path else f"{DEFAULT_PROJECT}/{reference.path}"


def site_name(reference: Reference) -> str:
    """Return `project/repository:tag`, or `project/repository@digest` for a reference by digest alone."""
    repository = site_repository(reference)
    return f"{repository}:{reference.tag}" if reference.tag else f"{repository}@{reference.digest}"


def is_named_like(reference: Reference, globs: Sequence[str]) -> bool:
    """Tell whether an image's name matches one of some fnmatch globs, whose `*` also matches slashes.

    The name counts in full (`docker.io/library/edge:1`), as Docker shortens it (`edge:1`) and as the site knows it
    (`library/edge:1`). load.sh and push.sh follow the same rule.
    """
    full = str(reference)
    short = full
    for prefix in _UNSPOKEN:
        short = short.removeprefix(prefix)
    return any(fnmatchcase(name, glob) for name in (full, short, site_name(reference)) for glob in globs)


def harbor_problem(reference: Reference) -> str:
    """Return why Harbor could not hold the image under its site name, or "" when it can."""
    return repository_problem(site_repository(reference))


def repository_problem(repository: str) -> str:
    """Return why Harbor could not hold `project/repository`, or "" when it can."""
    if problem := project_problem(repository.partition("/")[0]):
        return problem
    if len(repository) > MAX_REPOSITORY_CHARACTERS:
        return tr(
            "Harbor's repository names hold at most {max_repository_characters} characters, not {count}",
            max_repository_characters=MAX_REPOSITORY_CHARACTERS,
            count=len(repository),
        )
    return ""


def project_problem(project: str) -> str:
    """Return why Harbor accepts no project of this name, or ""."""
    return name_problem("project", project)


def name_problem(what: str, name: str) -> str:
    """Return why Harbor accepts no `what` (project, robot) of this name, or ""."""
    if len(name) <= MAX_PROJECT_CHARACTERS and _PROJECT.fullmatch(name):
        return ""
    if _PROJECT.fullmatch(name.lower()) and len(name) <= MAX_PROJECT_CHARACTERS:
        return tr(
            "Harbor accepts no {what} named {name!r}, for it has capital letters: write {lower!r}",
            what=what,
            name=name,
            lower=name.lower(),
        )
    return tr("Harbor accepts no {what} named {name!r} (words joined by one . _ or -)", what=what, name=name)
