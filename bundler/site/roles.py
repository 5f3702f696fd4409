"""The steps of each role, in their order. Reads like the guide; nothing else knows the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.authority import SiteAuthority
from bundler.site.steps.affinity import NodeAffinity
from bundler.site.steps.cloud_ports import CloudPorts
from bundler.site.steps.cloud_preflight import CloudPreflight
from bundler.site.steps.cloudcore_config import CloudcoreConfig
from bundler.site.steps.cloudcore_service import CloudcoreService
from bundler.site.steps.compose import ComposeProgram
from bundler.site.steps.container_engine import EngineInstalled
from bundler.site.steps.edge_preflight import EdgePreflight
from bundler.site.steps.edgecore_config import EdgecoreConfig
from bundler.site.steps.engine_settings import EngineSettings
from bundler.site.steps.harbor_registry import HarborRegistry
from bundler.site.steps.host_name import HostName
from bundler.site.steps.hosts import HostNames
from bundler.site.steps.keadm_init import KeadmInit
from bundler.site.steps.keadm_join import KeadmJoin
from bundler.site.steps.kubeedge_files import CloudFiles, EdgeFiles
from bundler.site.steps.local_repository import LocalRepository
from bundler.site.steps.mirror_service import MirrorService
from bundler.site.steps.mosquitto import Mosquitto
from bundler.site.steps.old_certs import OldCerts
from bundler.site.steps.pause_image import PauseImage
from bundler.site.steps.pushed_images import PushedImages
from bundler.site.steps.registry_trust import RegistryTrust
from bundler.site.steps.stream_certs import StreamCerts
from bundler.site.steps.tools import HostTools
from bundler.site.steps.tunnel import Tunnel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.site.config.model import Role
    from bundler.site.step import Step

CLOUD: tuple[Step, ...] = (
    CloudPreflight(),
    HostNames(),
    LocalRepository(),
    MirrorService(),
    EngineInstalled(),
    EngineSettings(),
    ComposeProgram(),
    HarborRegistry(),
    PushedImages(),
    NodeAffinity(),
    CloudFiles(),
    KeadmInit(),
    StreamCerts(),
    CloudcoreConfig(),
    CloudcoreService(),
    CloudPorts(),
)
EDGE: tuple[Step, ...] = (
    EdgePreflight(),
    HostName(),
    HostNames(),
    LocalRepository(),
    HostTools(),
    EngineInstalled(),
    EngineSettings(),
    RegistryTrust(),
    EdgeFiles(),
    OldCerts(),
    Mosquitto(),
    PauseImage(),
    KeadmJoin(),
    EdgecoreConfig(),
    Tunnel(),
)


def steps_of(role: Role) -> tuple[Step, ...]:
    """Return a role's steps in order."""
    return CLOUD if role == "cloud" else EDGE


def undone_steps(role: Role, steps: Sequence[Step]) -> Sequence[Step]:
    """Return the steps that undoing takes back: with the whole cloud role what `bundler site ca` made beside it."""
    return (SiteAuthority(), *steps) if role == "cloud" and tuple(steps) == CLOUD else steps
