"""Options of several commands, each with its BUNDLER_… variable; and the values that they are gathered in."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from bundler import console
from bundler.model.platform import Platform
from bundler.shell_completion import complete_files
from bundler.translation import tr

F = TypeVar("F", bound=Callable[..., Any])
MAX_JOBS = 64
FILE = console.FILE


def option(*names: str, **settings: Any) -> Callable[[F], F]:
    """Return `console.option` for a variable BUNDLER_…."""
    return console.option("BUNDLER", *names, **settings)


def _default_store() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("bundler"))


def _assignments(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in values]
    for text, (name, equals, _) in zip(values, pairs, strict=True):
        if not name or not equals:
            raise click.BadParameter(tr("{text!r} is not NAME=VALUE", text=text))
    return {name: value for name, _, value in pairs}


def _platforms(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[Platform, ...]:
    try:
        return tuple(Platform.parse(text) for text in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _one_platform(_ctx: click.Context, _param: click.Parameter, value: str | None) -> Platform | None:
    try:
        return Platform.parse(value) if value is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _output(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if value in ("", "-"):
        raise click.BadParameter(tr("{value!r} names no file; the archive cannot be written to a stream", value=value))
    return value


manifest_argument = click.argument("manifest", type=FILE)
json_option = option("--json", "as_json", is_flag=True, help=tr("Answer with a JSON object on stdout."))
set_option = option(
    "--set",
    "overrides",
    multiple=True,
    callback=_assignments,
    metavar="NAME=VALUE",
    help=tr("Override a variable of the manifest (repeatable)."),
)
store_option = option(
    "--store",
    type=FILE,
    default=_default_store,
    show_default="~/.cache/bundler",
    help=tr("Directory of the content store."),
)
jobs_option = option(
    "--jobs",
    type=click.IntRange(1, MAX_JOBS),
    help=tr("How many downloads run at once; by default 4, and up to 16 as long as the upstreams give more by it."),
)
keep_going_option = option(
    "--keep-going", is_flag=True, help=tr("Fetch everything else after a failure; exit as the first failure says.")
)
platform_option = option(
    "--platform",
    "platforms",
    multiple=True,
    callback=_platforms,
    metavar="OS/ARCH[/VARIANT]",
    help=tr("Only this platform of the manifest's (repeatable)."),
)
one_platform_option = option(
    "--platform",
    variable="BUNDLER_LOAD_PLATFORM",
    callback=_one_platform,
    metavar="OS/ARCH[/VARIANT]",
    help=tr("Images for this platform instead of the engine's own."),
)
root_option = option(
    "--root",
    type=FILE,
    default=Path("/opt"),
    show_default=True,
    help=tr("Directory that the bundle was unpacked into."),
)
only_option = option(
    "--only",
    multiple=True,
    metavar="GLOB",
    help=tr("Only images with a name that matches, such as '*flannel*' (repeatable)."),
)
output_option = option(
    "-o",
    "--output",
    default=".",
    show_default=True,
    callback=_output,
    metavar="FILE-OR-DIR",
    shell_complete=complete_files,
    help=tr("The archive's file, or the directory it goes to."),
)
locked_option = option("--locked", is_flag=True, help=tr("Fail when there is no lock, instead of writing one."))


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How upstreams are reached."""

    mirrors: tuple[str, ...]
    mirror_only: bool
    ca_file: Path | None
    insecure_registries: frozenset[str]
    client_certs: tuple[str, ...]
    run_unpinned: bool = False


def network_options(command: F) -> F:
    """Add the network options to a command, which receives them as one `network: NetworkOptions`."""

    @functools.wraps(command)
    def gather(
        *args: Any,
        mirror: tuple[str, ...],
        mirror_only: bool,
        ca_file: Path | None,
        insecure_registry: tuple[str, ...],
        client_cert: tuple[str, ...],
        run_unpinned: bool,
        **kwargs: Any,
    ) -> Any:
        network = NetworkOptions(mirror, mirror_only, ca_file, frozenset(insecure_registry), client_cert, run_unpinned)
        return command(*args, network=network, **kwargs)

    for decorate in (
        option(
            "--insecure-registry",
            multiple=True,
            metavar="HOST[:PORT]",
            help=tr("A registry that may speak plain HTTP or show any certificate (repeatable)."),
        ),
        option(
            "--client-cert",
            variable="BUNDLER_CLIENT_CERTS",
            multiple=True,
            metavar="PREFIX=CERT[,KEY]",
            help=tr("Client certificate and its key, PEM files, for https URLs under a prefix (repeatable)."),
        ),
        option(
            "--run-unpinned",
            is_flag=True,
            help=tr("Execute a runtime's Python that no digest or checksum vouches for, to compile byte-code."),
        ),
        option("--ca-file", type=FILE, help=tr("PEM file of authorities to trust beside the system's.")),
        option("--mirror-only", is_flag=True, help=tr("Never ask an original upstream, only its mirrors.")),
        option(
            "--mirror",
            variable="BUNDLER_MIRRORS",
            multiple=True,
            metavar="PREFIX=PREFIX",
            help=tr("Ask a mirror first for everything under a prefix (repeatable)."),
        ),
    ):
        gather = decorate(gather)
    return gather  # type: ignore[return-value] # click's decorators keep the callable's shape


def request_options(*, keep_going: bool) -> Callable[[F], F]:
    """Return what adds the manifest and the options about it to a command, which receives one `request: Request`.

    Beside it the command receives `jobs`, which its build context needs.

    Arguments:
        keep_going: whether --keep-going is among the options, and `keep_going` among what the command receives.
    """
    last = (keep_going_option, jobs_option) if keep_going else (jobs_option,)

    def add(command: F) -> F:
        @functools.wraps(command)
        def gather(
            *args: Any,
            manifest: Path,
            output: str,
            overrides: dict[str, str],
            platforms: tuple[Platform, ...],
            locked: bool,
            **kwargs: Any,
        ) -> Any:
            from bundler.pipeline.context import Request  # most commands have no manifest

            request = Request(manifest, overrides, output, platforms, locked)
            return command(*args, request=request, **kwargs)

        # click lists options in the order of decorators in the source, the reverse of that of their calls
        for decorate in reversed((manifest_argument, output_option, set_option, platform_option, locked_option, *last)):
            gather = decorate(gather)
        return gather  # type: ignore[return-value] # click's decorators keep the callable's shape

    return add


def source_date_epoch() -> int | None:
    """Return SOURCE_DATE_EPOCH (reproducible-builds.org) in seconds, or None; usage error when it is not a number."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise click.UsageError(tr("SOURCE_DATE_EPOCH is {text!r}, not a number of seconds", text=text))
    return int(text)
