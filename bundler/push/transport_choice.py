"""Which way a push takes, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.push.engine_push import platform_obstacles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.platform import Platform
    from bundler.push.push_plan import PushPlan

Via = Literal["auto", "docker", "registry"]


@dataclass(frozen=True, slots=True)
class Way:
    """How a plan is pushed; `reason` says why, for a person."""

    via: Literal["docker", "registry"]
    reason: str

    @property
    def line(self) -> str:
        """The decision as one line."""
        how = "through the container engine" if self.via == "docker" else "straight to the registry"
        return f"pushing {how} (--via {self.via}): {self.reason}"


def way_without_engine(why: str) -> Way:
    """Return the way where no engine can be had."""
    return Way("registry", why)


def way_with_engine(plan: PushPlan, platforms: Sequence[Platform], distrust: str = "") -> Way:
    """Return the engine's way when nothing would be lost on it, the registry's otherwise.

    Arguments:
        platforms: what the engine runs.
        distrust: why it could not speak to the registry, see `WantedTrust.obstacle`.
    """
    if distrust:
        return Way("registry", f"the engine could not push: {distrust}")
    untagged = [f"{push.source} has no tag" for push in plan.pushes if not push.target.tag]
    lost = (*platform_obstacles(plan, platforms), *untagged)
    if not lost:
        return Way("docker", f"it answers, and every image is for {' or '.join(map(str, platforms))} alone")
    more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
    return Way("registry", f"the engine could not push everything: {lost[0]}{more}")
