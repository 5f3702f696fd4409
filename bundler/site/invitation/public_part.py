"""What of a site an edge is told: all that its steps look at, and no file, account or path of the master. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.config.model import SITE_VERSION
from bundler.site.registry_files import AUTHORITY

if TYPE_CHECKING:
    from bundler.model.json_value import Json
    from bundler.site.config.model import MirrorSettings, RegistrySettings, SiteConfig, SiteHost


def public_part(config: SiteConfig) -> dict[str, Json]:
    """Return the site as site.yaml has it, without what only the master needs."""
    return {
        "version": SITE_VERSION,
        "hosts": [_host(host) for host in config.hosts],
        "root": config.root,
        "mirror": _mirror(config.mirror),
        "registry": _registry(config.registry),
        "docker": {"options": config.docker.options, "tools": list(config.docker.tools)},
        "kubeedge": _kubeedge(config),
    }


def _host(host: SiteHost) -> dict[str, Json]:
    value: dict[str, Json] = {"name": host.name, "role": host.role, "address": host.address}
    if host.reached_at:
        value["reached_at"] = list(host.reached_at)
    if host.machine:
        value["machine"] = host.machine
    if host.labels:
        value["labels"] = dict(host.labels)
    return value


def _mirror(mirror: MirrorSettings) -> dict[str, Json]:
    return {"http": mirror.http, "ftp": False if mirror.ftp is None else mirror.ftp, "packages": mirror.packages}


def _registry(registry: RegistrySettings) -> dict[str, Json]:
    # the account and its password, the key and the data are the master's; the authority comes beside this
    value: dict[str, Json] = {"kind": registry.kind, "https": registry.https, "public": registry.public}
    if registry.host:
        value["host"] = registry.host
    if registry.port is not None:
        value["port"] = registry.port
    if registry.project:
        value["project"] = registry.project
    if registry.ca_file:
        # where it comes to on the edge
        value["ca_file"] = AUTHORITY
    return value


def _kubeedge(config: SiteConfig) -> dict[str, Json]:
    kubeedge = config.kubeedge
    value: dict[str, Json] = {
        "version": kubeedge.version,
        "stream": kubeedge.stream,
        "service_bus": kubeedge.service_bus,
        "router": kubeedge.router,
        "dynamic_controller": kubeedge.dynamic_controller,
        "meta_server": kubeedge.meta_server,
    }
    return {**value, "pause": kubeedge.pause} if kubeedge.pause else value
