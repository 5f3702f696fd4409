"""A site as values: what `site.yaml` says, with the defaults filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bundler.model.json_value import Json

Role = Literal["cloud", "edge"]
SITE_ROLES: tuple[Role, ...] = ("cloud", "edge")
RegistryKind = Literal["harbor", "mirror", "existing"]
REGISTRY_KINDS: tuple[RegistryKind, ...] = ("harbor", "mirror", "existing")
PackageProtocol = Literal["http", "ftp"]
PACKAGE_PROTOCOLS: tuple[PackageProtocol, ...] = ("http", "ftp")
SITE_VERSION = 1
DEFAULT_ROOT = "/opt"
DEFAULT_KUBECONFIG = "/root/.kube/config"
DEFAULT_KUBEEDGE = "1.11.1"


@dataclass(frozen=True, slots=True)
class SiteHost:
    """A host of the site.

    Arguments:
        name: its host name, and the node's.
        address: an IP address that it has.
        reached_at: the addresses at which edges reach it, where that is another one (NAT); else `address` alone.
        machine: as `uname -m` names it; "" for whatever it is.
        labels: of its node.
    """

    name: str
    role: Role
    address: str
    reached_at: tuple[str, ...] = ()
    machine: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses at which edges reach it, the preferred one first."""
        return self.reached_at or (self.address,)


@dataclass(frozen=True, slots=True)
class MirrorSettings:
    """The mirror on the cloud host.

    Arguments:
        http: its port. ftp: the FTP port; None for no FTP.
        packages: the protocol by which edges get their packages.
    """

    http: int = 8088
    ftp: int | None = 21
    packages: PackageProtocol = "http"


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """The registry that nodes pull from.

    Arguments:
        kind: Harbor is set up by us, the mirror has one of its own, or there is one already.
        host: the name or address in image names; "" for the cloud host's name.
        port: None for the scheme's own (and the mirror's for its registry).
        https: whether it has TLS.
        project: where images go; "" for projects by the images' own names.
        public: whether everybody may pull.
        username: who pushes.
        password_file: holds that account's password, readable by its owner alone; "" where none is needed.
        certificate: of the registry, with its chain; "" for one that the site's own authority issues.
        private_key: of the certificate.
        ca_file: the authority that clients are to trust; "" for the site's own.
        data: directory of Harbor's data.
    """

    kind: RegistryKind = "harbor"
    host: str = ""
    port: int | None = None
    https: bool = True
    project: str = ""
    public: bool = True
    username: str = "admin"
    password_file: str = "/etc/bundler/registry.password"  # noqa: S105 - a path
    certificate: str = ""
    private_key: str = ""
    ca_file: str = ""
    data: str = "/data"


@dataclass(frozen=True, slots=True)
class DockerSettings:
    """The container engine.

    Arguments:
        options: keys of daemon.json that are merged into what is there.
        tools: further packages for edge hosts, as far as the repository has them.
    """

    options: Mapping[str, Json] = field(default_factory=dict)
    tools: tuple[str, ...] = ("bash-completion", "vim-enhanced", "wget", "lrzsz", "net-tools", "unzip")


@dataclass(frozen=True, slots=True)
class KubeEdgeSettings:
    """KubeEdge itself.

    Arguments:
        version: without a `v`.
        kubeconfig: on the cloud host.
        stream: logs and exec through cloudcore, on both sides.
        service_bus: HTTP calls from the cloud to services on edges.
        router: its counterpart in cloudcore.
        dynamic_controller: lists and watches of the API on edges, in cloudcore.
        meta_server: its counterpart on edges.
        pause: the sandbox image, as edges are to name it; "" for the registry's copy of kubeedge/pause:3.1.
    """

    version: str = DEFAULT_KUBEEDGE
    kubeconfig: str = DEFAULT_KUBECONFIG
    stream: bool = True
    service_bus: bool = True
    router: bool = False
    dynamic_controller: bool = False
    meta_server: bool = False
    pause: str = ""


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """A whole site.

    Arguments:
        hosts: exactly one of them the cloud host.
        root: where the bundle was unpacked on every host.
    """

    hosts: tuple[SiteHost, ...]
    root: str = DEFAULT_ROOT
    mirror: MirrorSettings = MirrorSettings()
    registry: RegistrySettings = RegistrySettings()
    docker: DockerSettings = DockerSettings()
    kubeedge: KubeEdgeSettings = KubeEdgeSettings()

    @property
    def cloud(self) -> SiteHost:
        """The cloud host."""
        return next(host for host in self.hosts if host.role == "cloud")

    @property
    def edges(self) -> tuple[SiteHost, ...]:
        """The edge hosts."""
        return tuple(host for host in self.hosts if host.role == "edge")

    @property
    def registry_host(self) -> str:
        """The host in image names, without a port."""
        return self.registry.host or self.cloud.name

    @property
    def registry_address(self) -> str:
        """The registry as image names and `push-images --registry` have it: HOST or HOST:PORT."""
        port = self.registry.port
        if port is None and self.registry.kind == "mirror":
            port = self.mirror.http
        standard = 443 if self.registry_https else 80
        return self.registry_host if port in (None, standard) else f"{self.registry_host}:{port}"

    @property
    def registry_https(self) -> bool:
        """Whether the registry is spoken to with TLS; the mirror that the site sets up has none."""
        return self.registry.https and self.registry.kind != "mirror"
