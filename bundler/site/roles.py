"""The steps of each role, in their order. Reads like the guide; nothing else knows the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.steps.affinity import NodeAffinity
from bundler.site.steps.compose import ComposeProgram
from bundler.site.steps.container_engine import EngineInstalled
from bundler.site.steps.engine_settings import EngineSettings
from bundler.site.steps.harbor_registry import HarborRegistry
from bundler.site.steps.hosts import HostNames
from bundler.site.steps.registry_trust import RegistryTrust

if TYPE_CHECKING:
    from bundler.site.config.model import Role
    from bundler.site.step import Step

CLOUD: tuple[Step, ...] = (
    HostNames(),
    EngineInstalled(),
    EngineSettings(),
    ComposeProgram(),
    HarborRegistry(),
    NodeAffinity(),
)
EDGE: tuple[Step, ...] = (
    HostNames(),
    EngineInstalled(),
    EngineSettings(),
    RegistryTrust(),
)


def steps_of(role: Role) -> tuple[Step, ...]:
    """Return a role's steps in order."""
    return CLOUD if role == "cloud" else EDGE
