"""The steps of each role, in their order. Reads like the guide; nothing else knows the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.steps.cloud_ports import CloudPorts
from bundler.site.steps.cloudcore_config import CloudcoreConfig
from bundler.site.steps.cloudcore_service import CloudcoreService
from bundler.site.steps.edgecore_config import EdgecoreConfig
from bundler.site.steps.hosts import HostNames
from bundler.site.steps.keadm_init import KeadmInit
from bundler.site.steps.keadm_join import KeadmJoin
from bundler.site.steps.kubeedge_files import CloudFiles, EdgeFiles
from bundler.site.steps.mosquitto import Mosquitto
from bundler.site.steps.old_certs import OldCerts
from bundler.site.steps.pause_image import PauseImage
from bundler.site.steps.stream_certs import StreamCerts
from bundler.site.steps.tunnel import Tunnel

if TYPE_CHECKING:
    from bundler.site.config.model import Role
    from bundler.site.step import Step

CLOUD: tuple[Step, ...] = (
    # preflight comes first
    HostNames(),
    # then repo, mirror, docker, daemon-json, compose, harbor, images, affinity
    CloudFiles(),
    KeadmInit(),
    StreamCerts(),
    CloudcoreConfig(),
    CloudcoreService(),
    CloudPorts(),
)
EDGE: tuple[Step, ...] = (
    # preflight and hostname come first
    HostNames(),
    # then repo, tools, docker, daemon-json, registry-trust
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
