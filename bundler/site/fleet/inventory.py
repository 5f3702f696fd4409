"""The hosts of a site as an Ansible inventory: one group of all edges, and one for each machine and label. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bundler.manifest.yaml_text import yaml_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.json_value import Json
    from bundler.site.config.model import SiteHost

EDGES = "edges"
_NOT_OF_A_GROUP = re.compile(r"[^A-Za-z0-9_]")
# without a terminal of its own, what a host answers on stdout stays apart from the rest
_VARIABLES: dict[str, Json] = {"ansible_ssh_use_tty": False}


def inventory(edges: Sequence[SiteHost]) -> bytes:
    """Return the inventory in YAML, hosts in the order of site.yaml."""
    groups: dict[str, dict[str, Json]] = {EDGES: {}}
    for host in edges:
        groups[EDGES][host.name] = {"ansible_host": host.address}
        for group in _groups(host):
            groups.setdefault(group, {})[host.name] = {}
    children: dict[str, Json] = {group: {"hosts": hosts} for group, hosts in groups.items()}
    return yaml_text({"all": {"children": children, "vars": _VARIABLES}})


def _groups(host: SiteHost) -> list[str]:
    names = [f"machine_{host.machine}"] if host.machine else []
    names += [f"label_{key}_{value}" for key, value in sorted(host.labels.items())]
    return [_NOT_OF_A_GROUP.sub("_", name) for name in names]
