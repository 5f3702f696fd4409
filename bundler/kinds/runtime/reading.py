"""Reads one item of `runtime:` into a `RuntimeEntry`. Owns its keys and the rules between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.kinds.runtime.elf import MACHINES
from bundler.kinds.runtime.entry import RuntimeEntry, WantedRuntime
from bundler.kinds.source_reading import SOURCE_KEYS, read_source, read_url
from bundler.manifest.fields import Fields
from bundler.model.runtime_artifact import ROOT
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.model.platform import Platform
    from bundler.model.scope import Scope
    from bundler.model.source_text import Node

KEYS = ("python", "tool", "platforms")
WHAT = tr("a runtime entry")


def read_runtime_entry(node: Node, scope: Scope) -> RuntimeEntry | None:
    """Read one item; report every problem to the scope, return None when there is any error."""
    fields = Fields(node, scope, known=KEYS, what=WHAT)
    platforms = _platforms(fields)
    runtimes = _runtimes(fields, platforms, scope)
    tool = fields.text("tool")
    wheel = read_url(tool, scope, None) if tool else ""
    if wheel and not wheel.endswith(".whl"):
        fields.error("tool", tr("is not the name of a wheel, NAME-VERSION-….whl"))
    if not fields.ok or not runtimes:
        return None
    machines = ",".join(wanted.platform.machine for wanted in runtimes)
    entry_id = f"{ROOT}{machines}" if fields.has("platforms") else ROOT.rstrip("/")
    return RuntimeEntry(entry_id, node.position, runtimes, wheel)


def _platforms(fields: Fields) -> tuple[Platform, ...]:
    """Return the platforms of the entry; of the manifest's those on which this tool runs."""
    asked = fields.platforms("platforms")
    fit = tuple(platform for platform in asked if platform.os == "linux" and platform.machine in MACHINES)
    runs_on = tr("this tool runs on linux/amd64 and linux/arm64")
    if fields.has("platforms"):
        for platform in asked:
            if platform not in fit:
                fields.error("platforms", f"{platform}: {runs_on} only")
        for machine in {platform.machine for platform in fit}:
            if sum(platform.machine == machine for platform in fit) > 1:
                fields.error(
                    "platforms", tr("names {machine} more than once; variants of it share one runtime", machine=machine)
                )
    elif asked and not fit and fields.ok:
        fields.error("python", tr("the manifest's platforms have no runtime: {runs_on} only", runs_on=runs_on))
    return tuple({platform.machine: platform for platform in reversed(fit)}.values())[::-1]


def _runtimes(fields: Fields, platforms: tuple[Platform, ...], scope: Scope) -> tuple[WantedRuntime, ...]:
    node = fields.node("python", required=True)
    if node is None:
        return ()
    keys = Fields(node, scope, known=SOURCE_KEYS, what=tr("'python' of a runtime entry"))
    written = read_source(keys, scope)
    if not fields.ok:
        return ()
    if not written.differs_by_platform and len(platforms) > 1:
        fields.error(
            "python", tr("one Python for {count} platforms; put ${{machine}} into its url", count=len(platforms))
        )
        return ()
    written.check_digests([(platform,) for platform in platforms], keys)
    before = len(scope.problems.errors)
    runtimes: list[WantedRuntime] = []
    for platform in platforms:
        runtimes.append(WantedRuntime(platform, written.expanded(scope, platform)))
        # one platform's problem is every platform's problem, and is told once
        if len(scope.problems.errors) > before:
            break
    return tuple(runtimes)
