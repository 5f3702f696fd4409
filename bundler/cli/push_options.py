"""The options of `bundler push-images`, gathered in one value."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bundler.cli.options import MAX_JOBS, only_option, option, root_option
from bundler.cli.registry_options import RegistryOptions, connection_options, gathered_registry, registry_option
from bundler.model.platform import Platform
from bundler.push.push_plan import Names, ProjectRule, PushSettings
from bundler.translation import tr

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.push.push_state import OnExistingTag
    from bundler.push.transport_choice import Via

_Callable = Callable[..., Any]
_Decorator = Callable[[_Callable], _Callable]
F = TypeVar("F", bound=_Callable)
NO_QUOTA = -1
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


@dataclass(frozen=True, slots=True)
class PushOptions:
    """Which images are pushed, where to, and how."""

    registry: RegistryOptions
    root: Path
    via: Via
    projects: tuple[ProjectRule, ...]
    names: Names | None
    only: tuple[str, ...]
    platform: Platform | None
    on_existing_tag: OnExistingTag
    jobs: int
    public: bool
    quota: int
    dry_run: bool

    @property
    def settings(self) -> PushSettings:
        """The part of it that the plan needs."""
        return PushSettings(self.projects, self.names, self.only, self.platform)


def _projects(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[ProjectRule, ...]:
    try:
        return tuple(ProjectRule.parse(text) for text in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _platform(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Platform | None:
    try:
        return None if value is None else Platform.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _quota(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int:
    if value is None:
        return NO_QUOTA
    found = re.fullmatch(r"([0-9]{1,9})([KMGT]i?B)?", value)
    if found is None or not int(found[1]):
        raise click.BadParameter(tr("{value!r} is not a size; write for example 50GiB", value=value))
    return int(found[1]) * _UNITS[(found[2] or "")[:1]]


_OPTIONS: tuple[_Decorator, ...] = (
    registry_option,
    root_option,
    option(
        "--via",
        type=click.Choice(["auto", "docker", "registry"]),
        default="auto",
        show_default=True,
        help=tr(
            "How: `docker` loads the images into the engine and has it push them, its own platform only; `registry` "
            "sends straight from the bundle, every platform, digests preserved; `auto` is "
            "`registry`, whether an engine "
            "runs or not."
        ),
    ),
    option(
        "--project",
        "projects",
        variable="BUNDLER_PROJECTS",
        multiple=True,
        callback=_projects,
        metavar="P|GLOB=P",
        help=tr("Put images, or those whose name matches, into a project under their last segment (repeatable)."),
    ),
    option(
        "--names",
        type=click.Choice(["path", "last", "both"]),
        help=tr("Form of the names; by default `last` for images with a --project, `path` for the others."),
    ),
    only_option,
    option(
        "--platform",
        variable="BUNDLER_PUSH_PLATFORM",
        callback=_platform,
        metavar="OS/ARCH[/VARIANT]",
        help=tr("Only this platform of each image."),
    ),
    option(
        "--on-existing-tag",
        type=click.Choice(["fail", "skip", "overwrite"]),
        default="fail",
        show_default=True,
        help=tr("What to do with a tag that stands for another image."),
    ),
    option(
        "--jobs",
        type=click.IntRange(1, MAX_JOBS),
        default=4,
        show_default=True,
        help=tr("How many uploads run at once, other than by docker."),
    ),
    *connection_options,
    option(
        "--public/--private",
        default=True,
        show_default=True,
        help=tr("Whether anybody may pull from projects that are created in Harbor."),
    ),
    option(
        "--quota",
        callback=_quota,
        metavar="SIZE",
        help=tr("Limit of projects that are created in Harbor, for example 50GiB; none by default."),
    ),
    option("--dry-run", is_flag=True, help=tr("Show what would be pushed, and what is there already; send nothing.")),
)


def push_options(command: F) -> F:
    """Add the options to a command, which receives them as one `options: PushOptions`."""

    @functools.wraps(command)
    def gathered(*args: Any, as_json: bool, **kwargs: Any) -> Any:
        options = PushOptions(gathered_registry(kwargs), **kwargs)
        return command(*args, options=options, as_json=as_json)

    gather: _Callable = gathered
    for decorate in reversed(_OPTIONS):
        gather = decorate(gather)
    return gather  # type: ignore[return-value] # click's decorators keep the callable's shape
