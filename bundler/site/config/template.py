"""The `site.yaml` to begin with: commented, filled in with what a host shows, valid as it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.site.config.model import (
    DEFAULT_KUBECONFIG,
    DEFAULT_ROOT,
    DockerSettings,
    KubeEdgeSettings,
    MirrorSettings,
    RegistrySettings,
)
from bundler.site.config.reading import HOST_NAME, MACHINES, MAX_NAME_CHARACTERS, is_address

if TYPE_CHECKING:
    from bundler.host.interface import Host

# RFC 5737, for a host that has no address
PLACEHOLDER_ADDRESS = "192.0.2.1"
_DEFAULT_NAME, _NO_NAMES = "master", ("", "localhost", "localhost.localdomain")
_KUBECONFIGS = (DEFAULT_KUBECONFIG, "/etc/kubernetes/admin.conf")
_ENGINE = ("docker", "version", "--format", "{{.Server.Version}}")
_ADDRESSES = ("ip", "-o", "addr", "show", "scope", "global")
# made by engines and pod networks: no address of the host itself
_INNER = re.compile(r"docker|br-|veth|cni|flannel|kube-|virbr|cali|tunl")
_MAX_LABEL = 63


@dataclass(frozen=True, slots=True)
class SeenHost:
    """What a host shows of itself.

    Arguments:
        name: that a node can have.
        addresses: the likely one first; () where it has none.
        machine: "" where it is none that KubeEdge runs on.
        kubeconfig: of the cluster; "" where none is found.
        engine: the version of its container engine; "" where none answers.
    """

    name: str
    addresses: tuple[str, ...] = ()
    machine: str = ""
    kubeconfig: str = ""
    engine: str = ""


def seen_on(host: Host) -> SeenHost:
    """Look at this host; changes nothing."""
    engine = host.run(_ENGINE, within_s=10.0)
    return SeenHost(
        node_name(host.name()),
        _addresses(host.run(_ADDRESSES).stdout),
        host.machine() if host.machine() in MACHINES else "",
        next((path for path in _KUBECONFIGS if host.exists(path)), ""),
        engine.stdout.strip() if engine.code == 0 and re.fullmatch(r"[0-9A-Za-z.+~-]+", engine.stdout.strip()) else "",
    )


def node_name(name: str) -> str:
    """Return a name that a node can have and that is as near to a host's as can be."""
    if name in _NO_NAMES:
        return _DEFAULT_NAME
    labels = [re.sub(r"[^a-z0-9-]", "-", label).strip("-")[:_MAX_LABEL].strip("-") for label in name.lower().split(".")]
    found = ".".join(label for label in labels if label)[:MAX_NAME_CHARACTERS].strip(".-")
    return found if HOST_NAME.fullmatch(found) else _DEFAULT_NAME


def site_template(seen: SeenHost) -> str:
    """Return the file's text, the cloud host being the one that was seen."""
    registry, mirror, kubeedge, docker = RegistrySettings(), MirrorSettings(), KubeEdgeSettings(), DockerSettings()
    return f"""\
# The site: its hosts, and what runs on them. Made by `bundler site init`.
# Look over it, then: bundler site check-config; bundler site plan cloud; bundler site apply cloud
# Lines that begin with # are examples, or what holds anyway. No password stands here: they are read from files.
version: 1

# Exactly one host has the role cloud: the one where the cluster is administered. All others are edges.
hosts:
  - name: "{seen.name}" # its host name, and the node's: lower-case letters, digits and -
    role: cloud
{_address_lines(seen)}
    # Where edges reach it at other addresses (a router translates them), those, the preferred one first:
    # reached_at: ["203.0.113.1"]
{_machine_line(seen)}
  # - name: edge1
  #   role: edge
  #   address: "192.0.2.11"
  #   machine: aarch64 # x86_64, aarch64 or armv7l
  #   labels: {{zone: plant-1}} # of its node

# Where the bundle was unpacked, on every host.
root: {DEFAULT_ROOT}

# The mirror on the cloud host: packages, files and images for the edges.
mirror:
  http: {mirror.http}
  ftp: {mirror.ftp} # or off
  packages: {mirror.packages} # how edges get their packages: http or ftp

# The registry that nodes pull from: harbor is set up, mirror is the mirror's own, existing is one that is there.
registry:
  kind: {registry.kind}
  # host: registry.example.org # the name in image names; without it the cloud host's
  # port: 443
  https: true
  # project: kubeedge # puts all images into one project; without it each has the project that its own name says
  public: true # everybody may pull; with false edges get an account that can do nothing else (kind harbor)
  username: {registry.username}
  password_file: {registry.password_file} # chmod 600
  # A certificate that is there already; without one the site's own authority issues it.
  # certificate: /etc/bundler/registry.crt
  # private_key: /etc/bundler/registry.key
  # ca_file: /etc/bundler/registry-ca.crt
  data: {registry.data} # where Harbor keeps its images

{_docker_lines(seen)}
docker:
  options: {{}} # further keys of daemon.json, such as {{max-concurrent-downloads: 10}}
  tools: [{", ".join(docker.tools)}] # packages for edges, as far as the bundle has them

kubeedge:
  version: "{kubeedge.version}"
{_kubeconfig_line(seen)}
  stream: {_word(kubeedge.stream)} # kubectl logs and exec on edges
  service_bus: {_word(kubeedge.service_bus)} # HTTP calls from the cloud to services on edges; wants router in the cloud
  router: {_word(kubeedge.router)}
  dynamic_controller: {_word(kubeedge.dynamic_controller)} # lists and watches of the API on edges, with meta_server
  meta_server: {_word(kubeedge.meta_server)}
  # pause: master/kubeedge/pause:3.1 # the sandbox image, where it is not the registry's copy of kubeedge/pause:3.1
"""


def _address_lines(seen: SeenHost) -> str:
    first, *others = seen.addresses or (PLACEHOLDER_ADDRESS,)
    remark = f" # it has {', '.join(others)} as well" if others else ""
    if not seen.addresses:
        remark = " # no address was found here: write its own"
    return f'    address: "{first}"{remark}'


def _machine_line(seen: SeenHost) -> str:
    return f"    machine: {seen.machine}" if seen.machine else "    # machine: x86_64 # x86_64, aarch64 or armv7l"


def _docker_lines(seen: SeenHost) -> str:
    there = f"Docker {seen.engine} answers on this host, and stays." if seen.engine else "None answers on this host."
    return f"# The container engine. {there}"


def _kubeconfig_line(seen: SeenHost) -> str:
    remark = "" if seen.kubeconfig else " # there is none on this host yet"
    return f"  kubeconfig: {seen.kubeconfig or DEFAULT_KUBECONFIG}{remark}"


def _word(flag: bool) -> str:
    return "true" if flag else "false"


def _addresses(printed: str) -> tuple[str, ...]:
    """Return the addresses that `ip -o addr` prints (a line each: number, link, family, address/length), IPv4 first."""
    found: list[str] = []
    for line in printed.splitlines():
        words = line.split()
        if len(words) > 3 and words[2] in ("inet", "inet6") and not _INNER.match(words[1]):
            address = words[3].partition("/")[0]
            if is_address(address):
                found.append(address)
    return tuple(dict.fromkeys(sorted(found, key=lambda address: ":" in address)))
