"""Options of several `bundler site` commands, and the context that they make."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from bundler.archive.bundle_root import opened_root
from bundler.archive.tree import tree_index
from bundler.cli.options import FILE, json_option, option
from bundler.errors import ErrorId, ManifestError, SiteError
from bundler.host.local_host import LocalHost
from bundler.model.scope import did_you_mean
from bundler.model.yum_repositories import repositories
from bundler.site.config.model import DEFAULT_ROOT, SITE_ROLES
from bundler.site.config.reading import host_named, read_site
from bundler.site.roles import steps_of
from bundler.site.step import ApplyOptions, SiteBundle, StepContext
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.host.interface import Host
    from bundler.site.config.model import Role, SiteConfig, SiteHost
    from bundler.site.step import Step

F = TypeVar("F", bound="Callable[..., Any]")
PLACES = (Path("site.yaml"), Path("/etc/bundler/site.yaml"))

config_option = option(
    "--config",
    variable="BUNDLER_SITE_CONFIG",
    type=FILE,
    metavar="FILE",
    help=tr("The site's description."),
    show_default=tr("./site.yaml, then /etc/bundler/site.yaml"),
)
role_argument = click.argument("role", type=click.Choice(SITE_ROLES), metavar="cloud|edge")
force_option = option(
    "--force", variable="BUNDLER_SITE_FORCE", is_flag=True, help=tr("Replace files that somebody else changed since.")
)


@dataclass(frozen=True, slots=True)
class SiteRun:
    """What a command works on: where, as what, and which steps."""

    at: StepContext
    role: Role
    steps: Sequence[Step]


def on_a_host(command: F) -> F:
    """Add the options that say which host is meant and which steps, and hand on a `SiteRun` as `run`."""

    @role_argument
    @config_option
    @option("--host", variable="BUNDLER_SITE_HOST", metavar="NAME", help=tr("Which host of the site this one is."))
    @option("--only", variable="BUNDLER_SITE_ONLY", metavar="STEP", help=tr("Only this step."))
    @option("--from", "begin", variable="BUNDLER_SITE_FROM", metavar="STEP", help=tr("This step and those after it."))
    @json_option
    @functools.wraps(command)
    def wrapped(
        role: Role, config: Path | None, host: str | None, only: str | None, begin: str | None, **settings: Any
    ) -> Any:
        if only and begin:
            raise click.UsageError(tr("--only and --from exclude each other"))
        at = context_of(load_site(config), role, host, LocalHost())
        return command(run=SiteRun(at, role, chosen_steps(role, only, begin)), **settings)

    return cast("F", wrapped)


def context_of(site: SiteConfig, role: Role, name: str | None, here: Host) -> StepContext:
    """Return what steps look at on this host. Raises SiteError (SITE_HOST_UNKNOWN), and as `tree_index` does."""
    return StepContext(here, site, this_host(site, role, name, here), site_bundle(site), programs=programs(site))


def config_path(path: Path | None) -> Path:
    """Return where the site's description lies."""
    return path or next((place for place in PLACES if place.exists()), PLACES[0])


def load_site(path: Path | None) -> SiteConfig:
    """Read the site's description. Raises ManifestError (SITE_CONFIG_INVALID)."""
    file = config_path(path)
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ManifestError(
            ErrorId.SITE_CONFIG_INVALID,
            tr("cannot be read: {reason}", reason=error.strerror),
            where=str(file),
            remedy=tr("Write one with `bundler site init`, or name it with --config."),
        ) from error
    return read_site(text, file=str(file))


def role_of(site: SiteConfig, name: str | None, here: Host) -> Role:
    """Return the role of the host of that name, or of this one; the cloud's where the site does not know it."""
    found = host_named(site, name or here.name())
    return "cloud" if found is None else found.role


def this_host(site: SiteConfig, role: Role, name: str | None, here: Host) -> SiteHost:
    """Return the host that is meant. Raises SiteError (SITE_HOST_UNKNOWN)."""
    wanted = name or (site.cloud.name if role == "cloud" else here.name())
    names = [host.name for host in site.hosts if host.role == role]
    found = host_named(site, wanted)
    if found is not None and found.role == role:
        return found
    hint = did_you_mean(wanted, names) or tr("; there are {names}", names=", ".join(names) or tr("none"))
    raise SiteError(
        ErrorId.SITE_HOST_UNKNOWN,
        tr("the site has no {role} host {wanted!r}{hint}", role=role, wanted=wanted, hint=hint),
        remedy=tr("Say with --host which one this is."),
        step="",
    )


def chosen_steps(role: Role, only: str | None, begin: str | None) -> Sequence[Step]:
    """Return the steps that are meant, in order. Raises SiteError (SITE_STEP_UNKNOWN)."""
    steps = steps_of(role)
    wanted = only or begin
    if not wanted:
        return steps
    names = [step.name for step in steps]
    if wanted not in names:
        hint = did_you_mean(wanted, names) or tr("; there are {names}", names=", ".join(names))
        raise SiteError(
            ErrorId.SITE_STEP_UNKNOWN,
            tr("{role} hosts have no step {wanted!r}{hint}", role=role, wanted=wanted, hint=hint),
            remedy=tr("Look at `bundler site plan {role}`.", role=role),
            step=wanted,
        )
    first = names.index(wanted)
    return steps[first : first + 1] if only else steps[first:]


def site_bundle(site: SiteConfig) -> SiteBundle:
    """Return what the active bundle of the site's root lists; nothing where there is none. Raises as `tree_index`."""
    directory = _active(Path(site.root))
    if directory is None:
        return SiteBundle()
    checked = tree_index(directory)
    digests: dict[str, str] = {file.path: file.blob.digest.hex for file in checked.index.files}
    index = checked.index
    machines = tuple(platform.machine for platform in index.platforms)
    return SiteBundle(str(directory), digests, index.name, index.release, repositories(index), machines, checked.id)


def tool_bundle_id(root: str) -> str:
    """Return the id of the active bundle of a root that brought this tool; "" where there is none. Raises as above."""
    directory = _active(Path(root or DEFAULT_ROOT))
    return "" if directory is None else tree_index(directory).id


def _active(root: Path) -> Path | None:
    if not root.is_dir():
        return None
    with opened_root(root, change=False) as opened:
        active = opened.current()
    return None if active is None else root if active == "." else root / active


def programs(site: SiteConfig) -> dict[str, tuple[str, ...]]:
    """Return how this tool's two commands are called: the bundle's launchers where this process is one of them."""
    found: dict[str, tuple[str, ...]] = {}
    root = Path(site.root)
    ours = Path(sys.prefix).is_relative_to(root.resolve())
    for name in ("bundler", "mirror"):
        # a root is one bundle, or has several of which one is active
        launchers = [place / "bin" / name for place in (root, root / "current") if ours]
        launcher = next((launcher for launcher in launchers if launcher.exists()), None)
        found[name] = (str(launcher),) if launcher else (sys.executable, "-I", "-m", name)
    return found


def with_options(at: StepContext, options: ApplyOptions) -> StepContext:
    """Return the context with what the operator allows."""
    return StepContext(at.host, at.config, at.this, at.bundle, options, at.programs)
