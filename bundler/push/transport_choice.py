"""Which transport a push takes, through the engine or straight to the registry, and why. Pure."""

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
class TransportChoice:
    """The transport of a push; `reason` says why, for a person."""

    via: Literal["docker", "registry"]
    reason: str

    @property
    def line(self) -> str:
        """The decision as one line."""
        how = "through the container engine" if self.via == "docker" else "straight to the registry"
        return f"pushing {how} (--via {self.via}): {self.reason}"


def without_engine(why: str) -> TransportChoice:
    """Return the choice where no engine answers."""
    return TransportChoice("registry", why)


def choose_transport(plan: PushPlan, platforms: Sequence[Platform], distrust: str = "") -> TransportChoice:
    """Return the engine as transport if nothing would be lost by that, else the registry.

    Arguments:
        platforms: those that the engine runs.
        distrust: why it could not push to the registry, see `WantedTrust.obstacle`.
    """
    if distrust:
        return TransportChoice("registry", f"the engine could not push: {distrust}")
    untagged = [f"{push.source} has no tag" for push in plan.pushes if not push.target.tag]
    lost = (*platform_obstacles(plan, platforms), *untagged)
    if not lost:
        return TransportChoice("docker", f"it answers, and every image is for {' or '.join(map(str, platforms))} alone")
    more = f", and {len(lost) - 1} more" if len(lost) > 1 else ""
    return TransportChoice("registry", f"the engine could not push everything: {lost[0]}{more}")
