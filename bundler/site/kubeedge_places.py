"""Where KubeEdge 1.11's programs and keadm look for files, and which ports they open. Pure.

keadm/cmd/keadm/app/cmd/util/common.go and k8sinstaller.go at the tag; a site's own ports are not foreseen there.
"""

from __future__ import annotations

from typing import Final

KUBEEDGE: Final = "/etc/kubeedge"
BUNDLED: Final = "kubeedge"
KEADM: Final = "/usr/local/bin/keadm"
CLOUDCORE: Final = "/usr/local/bin/cloudcore"
EDGECORE: Final = "/usr/local/bin/edgecore"
CLOUDCORE_YAML: Final = f"{KUBEEDGE}/config/cloudcore.yaml"
EDGECORE_YAML: Final = f"{KUBEEDGE}/config/edgecore.yaml"
CLOUDCORE_UNIT: Final = "cloudcore.service"
EDGECORE_UNIT: Final = "edgecore.service"
UNITS: Final = "/etc/systemd/system"
CERTGEN: Final = f"{KUBEEDGE}/certgen.sh"
STREAM_CA: Final = f"{KUBEEDGE}/ca/streamCA.crt"
STREAM_CERT: Final = f"{KUBEEDGE}/certs/stream.crt"
STREAM_KEY: Final = f"{KUBEEDGE}/certs/stream.key"
EDGE_CA: Final = f"{KUBEEDGE}/ca/rootCA.crt"
EDGE_CERT: Final = f"{KUBEEDGE}/certs/server.crt"
EDGE_KEY: Final = f"{KUBEEDGE}/certs/server.key"
CLUSTER_CA: Final = "/etc/kubernetes/pki/ca.crt"
CLUSTER_CA_KEY: Final = "/etc/kubernetes/pki/ca.key"
# `keadm deprecated init` applies these six, and goes to the network for one that is missing
CRDS: Final = (
    "crds/devices/devices_v1alpha2_device.yaml",
    "crds/devices/devices_v1alpha2_devicemodel.yaml",
    "crds/reliablesyncs/cluster_objectsync_v1alpha1.yaml",
    "crds/reliablesyncs/objectsync_v1alpha1.yaml",
    "crds/router/router_v1_rule.yaml",
    "crds/router/router_v1_ruleEndpoint.yaml",
)
HUB_PORT, CERTIFICATE_PORT, STREAM_PORT, TUNNEL_PORT, EDGED_PORT = 10000, 10002, 10003, 10004, 10350
# edgecore looks for these among all processes, dead ones that nobody has reaped too, and refuses to start beside them
FORBIDDEN_ON_EDGES: Final = ("kubelet", "kube-proxy")
# kubernetes' names of machines, by the kernel's
_GO_NAMES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm"}


def go_name(machine: str) -> str:
    """Return how KubeEdge's files name a machine of `uname -m`; "" for one that it is not built for."""
    return _GO_NAMES.get(machine, "")


def tree_name(version: str, arch: str) -> str:
    """Return the directory that keadm unpacks the archive to."""
    return f"kubeedge-v{version}-linux-{arch}"


def archive_name(version: str, arch: str) -> str:
    """Return the archive of cloudcore and edgecore."""
    return f"{tree_name(version, arch)}.tar.gz"


def checksum_name(version: str, arch: str) -> str:
    """Return the file that keadm compares whole with the archive's SHA-512."""
    return f"checksum_{archive_name(version, arch)}.txt"


def cloud_ports(*, stream: bool) -> tuple[int, ...]:
    """Return what cloudcore listens on; all of them open at the same moment."""
    hub = (HUB_PORT, CERTIFICATE_PORT)
    return (*hub, STREAM_PORT, TUNNEL_PORT) if stream else hub


def with_port(address: str, port: int) -> str:
    """Return an IP address and a port as Go's net package writes them."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
