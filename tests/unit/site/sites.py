"""A site of the tests' own, and a host in memory to apply its steps to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.applying import StepListener, apply_site, undo_site
from bundler.site.config.model import SiteConfig, SiteHost
from bundler.site.step import ApplyOptions, SiteBundle, StepContext

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.site.config.model import Role
    from bundler.site.step import Step
    from tests.fakes.host import MemoryHost

MASTER = SiteHost("master", "cloud", "192.0.2.1", reached_at=("198.51.100.1",))
EDGE1 = SiteHost("edge1", "edge", "192.0.2.11", machine="x86_64", labels={"zone": "a"})
EDGE2 = SiteHost("edge2", "edge", "192.0.2.12", machine="aarch64")
SITE = SiteConfig((MASTER, EDGE1, EDGE2))
BUNDLE = "/opt"


def context(
    host: MemoryHost,
    config: SiteConfig = SITE,
    *,
    role: Role = "cloud",
    files: Mapping[str, bytes] | None = None,
    options: ApplyOptions = ApplyOptions(),  # noqa: B008 - a frozen value
) -> StepContext:
    """Return what steps look at; `files` of the bundle are put into the host's root as well."""
    digests = {}
    for path, data in (files or {}).items():
        host.files[f"{BUNDLE}/{path}"] = data
        digests[path] = host.digest(f"{BUNDLE}/{path}")
    this = config.cloud if role == "cloud" else config.edges[0]
    return StepContext(host, config, this, SiteBundle(BUNDLE, digests, "site", "1"), options)


def applied(at: StepContext, steps: Sequence[Step], role: Role = "cloud") -> list[str]:
    """Apply steps and return the titles of the changes that were made."""
    lines: list[str] = []
    apply_site(at, role, steps, StepListener(lambda *_: None, lines.append, lambda _: None))
    return lines


def undone(at: StepContext, steps: Sequence[Step], role: Role = "cloud") -> list[str]:
    """Undo steps and return what was lines."""
    lines: list[str] = []
    undo_site(at.host, role, steps, lines.append)
    return lines
