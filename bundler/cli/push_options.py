"""What `bundler push-images` is asked: its options, gathered in one value, and the pusher that they mean."""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bundler.cli.options import FILE, MAX_JOBS, option
from bundler.model.platform import Platform
from bundler.model.reference import Reference
from bundler.net.docker_config import DockerLogins
from bundler.net.gate import Gate
from bundler.net.harbor import HarborApi
from bundler.net.login import Login, Logins, OneLogin
from bundler.net.registry_push import RegistryPusher
from bundler.net.retry import Retry
from bundler.net.transport import RequestsTransport
from bundler.push.plan import Names, ProjectRule, PushSettings

if TYPE_CHECKING:
    from pathlib import Path

    from bundler.push.registry import OnExistingTag
    from bundler.push.way import Via

_Command = Callable[..., Any]
_Decorator = Callable[[_Command], _Command]
F = TypeVar("F", bound=_Command)
PASSWORD_VARIABLE = "BUNDLER_PASSWORD"  # noqa: S105 - its name
NO_QUOTA = -1
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
MAX_PASSWORD_CHARACTERS = 64 * 1024


@dataclass(frozen=True, slots=True)
class PushOptions:
    """Where images go, which, and how the registry is reached."""

    registry: str
    root: Path
    via: Via
    projects: tuple[ProjectRule, ...]
    names: Names | None
    only: tuple[str, ...]
    platform: Platform | None
    on_existing_tag: OnExistingTag
    jobs: int
    plain_http: bool
    ca_file: Path | None
    insecure: bool
    username: str | None
    password_stdin: bool
    wait: float
    public: bool
    quota: int
    dry_run: bool

    @property
    def settings(self) -> PushSettings:
        """What the plan needs of it."""
        return PushSettings(self.projects, self.names, self.only, self.platform)


def _registry(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if "://" in value or "/" in value:
        raise click.BadParameter(f"{value!r} is no HOST or HOST:PORT; write it as in the name of an image")
    try:
        return Reference(value, "any", "any").host
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


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
        raise click.BadParameter(f"{value!r} is not a size; write for example 50GiB")
    return int(found[1]) * _UNITS[(found[2] or "")[:1]]


_OPTIONS: tuple[_Decorator, ...] = (
    option(
        "--registry", required=True, callback=_registry, metavar="HOST[:PORT]", help="The registry, Harbor or another."
    ),
    option("--root", type=FILE, default="/opt", show_default=True, help="Directory that the bundle was unpacked into."),
    option(
        "--via",
        type=click.Choice(["auto", "docker", "registry"]),
        default="auto",
        show_default=True,
        help="How: `docker` loads the images into the engine and has it push them, its own platform only; `registry` "
        "sends straight from the bundle, every platform, digests preserved; `auto` takes docker where an engine "
        "answers and nothing would be lost by it.",
    ),
    option(
        "--project",
        "projects",
        variable="BUNDLER_PROJECTS",
        multiple=True,
        callback=_projects,
        metavar="P|GLOB=P",
        help="Put images, or those whose name matches, into a project under their last segment (repeatable).",
    ),
    option(
        "--names",
        type=click.Choice(["path", "last", "both"]),
        help="Form of the names; by default `last` for images with a --project, `path` for the others.",
    ),
    option("--only", multiple=True, metavar="GLOB", help="Only images whose name matches (repeatable)."),
    option("--platform", callback=_platform, metavar="OS/ARCH[/VARIANT]", help="Only this platform of each image."),
    option(
        "--on-existing-tag",
        type=click.Choice(["fail", "skip", "overwrite"]),
        default="fail",
        show_default=True,
        help="What to do with a tag that stands for another image.",
    ),
    option(
        "--jobs",
        type=click.IntRange(1, MAX_JOBS),
        default=4,
        show_default=True,
        help="How many uploads run at once, other than by docker.",
    ),
    option("--plain-http", is_flag=True, help="Speak HTTP to the registry; anybody in between can read and change it."),
    option("--ca-file", type=FILE, help="PEM file of authorities to trust beside the system's."),
    option("--insecure", is_flag=True, help="Accept any certificate of the registry."),
    option("--username", help="Who pushes; otherwise what `docker login` has stored."),
    option("--password-stdin", is_flag=True, help="Read the password from stdin; otherwise from BUNDLER_PASSWORD."),
    option(
        "--wait",
        type=click.FloatRange(0),
        default=0,
        show_default=True,
        metavar="SECONDS",
        help="How long to wait for the registry, and for Harbor to be healthy.",
    ),
    option(
        "--public/--private",
        default=True,
        show_default=True,
        help="Whether anybody may pull from projects that are created in Harbor.",
    ),
    option(
        "--quota",
        callback=_quota,
        metavar="SIZE",
        help="Limit of projects that are created in Harbor, for example 50GiB; none by default.",
    ),
    option("--dry-run", is_flag=True, help="Show what would be pushed, and what is there already; send nothing."),
)


def push_options(command: F) -> F:
    """Add the options to a command, which receives them as one `options: PushOptions`."""

    @functools.wraps(command)
    def gathered(*args: Any, as_json: bool, **kwargs: Any) -> Any:
        options = PushOptions(**kwargs)
        if options.plain_http and (options.insecure or options.ca_file):
            raise click.UsageError("--plain-http knows no certificates: leave --insecure and --ca-file out.")
        if options.ca_file and not options.ca_file.is_file():
            raise click.UsageError(f"--ca-file {options.ca_file}: there is no such file")
        return command(*args, options=options, as_json=as_json)

    gather: _Command = gathered
    for decorate in reversed(_OPTIONS):
        gather = decorate(gather)
    return gather  # type: ignore[return-value] # click's decorators keep the callable's shape


@dataclass(frozen=True, slots=True)
class OpenRegistry:
    """The registry: what sends to it, what asks it for more where it is a Harbor, and who pushes."""

    pusher: RegistryPusher
    harbor: HarborApi
    logins: Logins


@contextmanager
def open_registry(options: PushOptions) -> Iterator[OpenRegistry]:
    """Put together what talks to the registry."""
    transport = RequestsTransport(
        str(options.ca_file) if options.ca_file else None,
        insecure_hosts=frozenset({options.registry, options.registry.partition(":")[0]})
        if options.insecure
        else frozenset(),
    )
    logins, retry = _logins(options), Retry()
    try:
        pusher = RegistryPusher(
            options.registry,
            transport,
            plain_http=options.plain_http,
            logins=logins,
            retry=retry,
            gate=Gate(options.jobs),
        )
        yield OpenRegistry(pusher, HarborApi(lambda: pusher.endpoint, transport, logins, retry), logins)
    finally:
        transport.close()


def _logins(options: PushOptions) -> Logins:
    """Return the credentials that were given, else those that `docker login` has stored."""
    if options.username is None:
        if options.password_stdin:
            raise click.UsageError("--password-stdin wants --username")
        return DockerLogins(os.environ)
    if options.password_stdin:
        typed: str = sys.stdin.read(MAX_PASSWORD_CHARACTERS)
        secret, found_in = typed.removesuffix("\n").removesuffix("\r"), "--password-stdin"
    else:
        secret, found_in = os.environ.get(PASSWORD_VARIABLE, ""), PASSWORD_VARIABLE
    if not secret:
        raise click.UsageError(f"--username wants a password: give --password-stdin or {PASSWORD_VARIABLE}")
    return OneLogin(options.registry, Login(options.username, secret, found_in))
