"""The steps of each role, in their order. Reads like the guide; nothing else knows the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.steps.cloud_preflight import CloudPreflight
from bundler.site.steps.edge_preflight import EdgePreflight
from bundler.site.steps.host_name import HostName
from bundler.site.steps.hosts import HostNames
from bundler.site.steps.local_repository import LocalRepository
from bundler.site.steps.mirror_service import MirrorService
from bundler.site.steps.pushed_images import PushedImages
from bundler.site.steps.tools import HostTools

if TYPE_CHECKING:
    from bundler.site.config.model import Role
    from bundler.site.step import Step

CLOUD: tuple[Step, ...] = (
    CloudPreflight(),
    HostNames(),
    LocalRepository(),
    MirrorService(),
    PushedImages(),
)
EDGE: tuple[Step, ...] = (
    EdgePreflight(),
    HostName(),
    HostNames(),
    LocalRepository(),
    HostTools(),
)


def steps_of(role: Role) -> tuple[Step, ...]:
    """Return a role's steps in order."""
    return CLOUD if role == "cloud" else EDGE
