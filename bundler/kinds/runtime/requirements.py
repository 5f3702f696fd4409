"""Which packages a runtime needs: Requires-Dist, judged for the runtime's own Python and not for the one that builds.

pip judges markers by the Python that it runs on, so that what it chooses is completed here, and cut down to what is
needed (dependency specifiers: PyPA, "Dependency specifiers"). The only user of `packaging`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError, ToolMissingError
from bundler.python_package import installing
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.requirements import Requirement


@dataclass(frozen=True, slots=True)
class Target:
    """For what wheels have to fit: Python's version in full, and the machine."""

    python: str
    machine: str

    @property
    def minor(self) -> str:
        """`3.12`."""
        return ".".join(self.python.split(".")[:2])

    @property
    def site_packages(self) -> str:
        """Where packages lie, below the runtime's directory, with a slash at its end."""
        return f"lib/python{self.minor}/site-packages/"


@dataclass(frozen=True, slots=True)
class Needs:
    """What follows from some packages' metadata.

    Arguments:
        reached: normalized names of the packages that are needed and there.
        missing: requirements that nothing there answers, as pip takes them.
    """

    reached: frozenset[str]
    missing: tuple[str, ...]


def normalized(name: str) -> str:
    """Return a package's name as indexes compare it (PyPA, "Names and normalization")."""
    _require_packaging()
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)


def needs(roots: Iterable[str], packages: Mapping[str, tuple[str, ...]], target: Target) -> Needs:
    """Return what is reached from some requirements, and what is lacking.

    Arguments:
        roots: lines of Requires-Dist; those of extras do not count.
        packages: normalized name -> its lines of Requires-Dist.

    Raises SourceError (SOURCE_INVALID) for a line that is none, ToolMissingError.
    """
    environment = marker_environment(target)
    reached: set[tuple[str, str]] = set()
    missing: dict[str, None] = {}
    waiting = [(line, "") for line in roots]
    while waiting:
        line, extra = waiting.pop()
        requirement = _parsed(line)
        if requirement.marker is not None and not requirement.marker.evaluate({**environment, "extra": extra}):
            continue
        name = normalized(requirement.name)
        if name not in packages:
            requirement.marker = None
            missing[str(requirement)] = None
            continue
        # what a package needs for an extra comes beside what it needs anyway
        for wanted in ("", *sorted(requirement.extras)):
            if (name, wanted) not in reached:
                reached.add((name, wanted))
                waiting += [(needed, wanted) for needed in packages[name]]
    return Needs(frozenset(name for name, _ in reached), tuple(sorted(missing)))


def marker_environment(target: Target) -> dict[str, str]:
    """Return the variables of markers, as a runtime's Python has them on Linux."""
    return {
        "implementation_name": "cpython",
        "implementation_version": target.python,
        "os_name": "posix",
        "platform_machine": target.machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": target.python,
        "python_version": target.minor,
        "sys_platform": "linux",
    }


def _parsed(line: str) -> Requirement:
    _require_packaging()
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement as error:
        raise SourceError(
            ErrorId.SOURCE_INVALID,
            tr("is no requirement: {error}", error=error),
            where=line,
            remedy=tr("The package's metadata are wrong; ask its publisher."),
        ) from error


def _require_packaging() -> None:
    try:
        import packaging.requirements  # noqa: F401 - asked for once, used by whoever called
    except ImportError as error:
        raise ToolMissingError(
            "packaging", package=installing("packaging"), needed_for=tr("runtimes, whose packages it tells apart")
        ) from error
