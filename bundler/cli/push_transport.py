"""The engine that `bundler push-images` pushes through, or none, as `--via` says."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from bundler import console
from bundler.cli.engine import open_engine
from bundler.errors import SiteError
from bundler.model.reference import docker_host
from bundler.push.transport_choice import STRAIGHT, takes_engine
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bundler.cli.push_options import PushOptions
    from bundler.push.engine import PushingEngine
    from bundler.push.engine_trust import WantedTrust
    from bundler.push.push_plan import PushPlan

SHOWN_OBSTACLES = 5


@contextmanager
def open_push_engine(options: PushOptions, plan: PushPlan) -> Iterator[PushingEngine | None]:
    """Yield the engine to push through, or None to push straight to the registry; `auto` says on stderr which.

    Raises SiteError when `--via docker` finds no engine, click.UsageError when images would lose platforms by it.
    """
    if not takes_engine(options.via):
        if options.via == "auto":
            console.remark(STRAIGHT)
        yield None
        return
    try:
        engine = open_engine()
    except SiteError as error:
        raise error.with_context(remedy=tr("`--via registry` pushes without any engine.")) from error
    with engine:
        _require_whole(options, plan, engine)
        yield engine


def _require_whole(options: PushOptions, plan: PushPlan, engine: PushingEngine) -> None:
    """Raise where the engine could not push, or not everything."""
    from bundler.push.engine_push import platform_obstacles
    from bundler.push.engine_trust import require_trust

    platforms, wanted = engine.platforms(), _wanted_trust(options)
    insecure = engine.is_insecure(wanted.host)
    distrust = _distrust(wanted, plan, engine) if wanted.own_authority and not insecure else ""
    require_trust(wanted, engine.where, insecure=insecure, distrust=distrust)
    if lost := platform_obstacles(plan, platforms):
        more = [tr("and {count} more", count=len(lost) - SHOWN_OBSTACLES)] if len(lost) > SHOWN_OBSTACLES else []
        raise click.UsageError(
            "\n".join((
                tr(
                    "--via docker pushes images for {platform} alone, as {where} runs them:",
                    platform=platforms[0], where=engine.where,
                ),
                *(f"  {line}" for line in (*lost[:SHOWN_OBSTACLES], *more)),
                tr(
                    "Name --platform {platform} to leave the others out, or push all of them with --via registry.",
                    platform=platforms[0],
                ),
            ))
        )  # fmt: skip


def _wanted_trust(options: PushOptions) -> WantedTrust:
    from bundler.push.engine_trust import WantedTrust  # there is an engine

    registry = options.registry
    option = "--plain-http" if registry.plain_http else "--insecure" if registry.insecure else ""
    return WantedTrust(docker_host(registry.host, plain_http=registry.plain_http), option, registry.ca_file is not None)


def _distrust(wanted: WantedTrust, plan: PushPlan, engine: PushingEngine) -> str:
    # any name will do
    tagged = (push.target for push in plan.pushes if push.target.tag)
    return next((engine.distrust(f"{wanted.host}/{one.repository}:{one.tag}") for one in tagged), "")
