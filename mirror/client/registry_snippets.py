"""Images from the mirror's registry: the configuration of Docker, containerd, podman, CRI-O, and what to type then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.model.client_config import daemon_json, hosts_toml, registries_conf
from bundler.model.image.site_name import site_name, site_repository
from bundler.model.reference import DEFAULT_HOST
from mirror.client.reach import Snippet
from mirror.client.wording import NAME_PLACEHOLDER, PLACING, placing, word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bundler.model.reference import Reference
    from mirror.client.offer import Offer
    from mirror.client.reach import Reach

DAEMON_JSON = "/etc/docker/daemon.json"
CONTAINERD_HOSTS = "/etc/containerd/certs.d"
REGISTRIES_CONF = "/etc/containers/registries.conf.d/50-bundle.conf"
CREDENTIALS_PLACEHOLDER = "@BASE64@"


@dataclass(frozen=True, slots=True)
class _Images:
    """Where images are, and how they are called: examples of names with tags, and the registries of all."""

    reach: Reach
    names: Sequence[Reference]
    upstreams: Sequence[str]

    @property
    def authority(self) -> str:
        return self.reach.registry_authority


def registry_snippets(offer: Offer, reach: Reach) -> Iterator[Snippet]:
    """Yield what lets clients pull the bundle's images, when it has any and the mirror has a registry."""
    if not offer.images or not reach.registry_authority:
        return
    images = _Images(reach, offer.images, offer.upstreams)
    yield from _docker(images)
    yield from _containerd(images)
    yield from _podman(images)


def _docker(images: _Images) -> Iterator[Snippet]:
    reach = images.reach
    # Docker sends no password to a mirror of the hub
    hub_mirror = DEFAULT_HOST in images.upstreams and not reach.login
    settings = daemon_json(images.authority, tls=reach.tls, hub_mirror=hub_mirror)
    if settings:
        yield Snippet(
            name="daemon.json",
            tool="docker",
            title="Docker: settings for the mirror's registry; merge them into an existing daemon.json, never append",
            title_zh="Docker：使用本镜像仓库的设置；已有 daemon.json 时须合并，切勿追加",
            text=settings,
            commands=False,
            path=DAEMON_JSON,
        )
    lines = _trust(reach, f"/etc/docker/certs.d/{images.authority}")
    if settings:
        lines += [*PLACING, *placing(DAEMON_JSON, settings, "systemctl reload-or-restart docker")]
    yield _commands(
        "docker-registry.sh",
        "docker",
        "Docker: prepare for the mirror's registry; an existing daemon.json is left alone and what to merge is shown",
        "Docker：为使用本镜像仓库作准备；已有的 daemon.json 不会改动，只显示需要合并的内容",
        lines,
    )
    lines = _login("docker", images)
    for name in images.names:
        lines += [
            f"docker pull {word(f'{images.authority}/{site_name(name)}')}",
            f"docker tag {word(f'{images.authority}/{site_name(name)}')} {name}",
        ]
    yield _commands(
        "docker-pull.sh",
        "docker",
        "Docker: pull from the mirror, and give an image the name that manifests have",
        "Docker：从本镜像拉取，并还原清单中的名称",
        lines,
    )


def _containerd(images: _Images) -> Iterator[Snippet]:
    reach = images.reach
    lines = [*_trust(reach, f"{CONTAINERD_HOSTS}/mirror"), *PLACING]
    for upstream in images.upstreams:
        path = f"{CONTAINERD_HOSTS}/{upstream}/hosts.toml"
        text = _hosts_toml(reach, upstream)
        yield Snippet(
            name=f"hosts-{upstream.replace(':', '_').strip('[]')}.toml",
            tool="containerd",
            title=f"containerd: images of {upstream} from the mirror, by their original names",
            title_zh=f"containerd：以原名称从本镜像拉取 {upstream} 的镜像",
            text=text,
            commands=False,
            path=path,
        )
        lines += placing(path, text)
    lines += [
        "# The kubelet's containerd heeds them when /etc/containerd/config.toml has this, and no mirrors there:",
        '#   [plugins."io.containerd.grpc.v1.cri".registry]',
        f'#   config_path = "{CONTAINERD_HOSTS}"',
        "# After a change of config.toml (of hosts.toml it takes none): systemctl restart containerd",
        f"ctr images pull --hosts-dir {CONTAINERD_HOSTS} {images.names[0]}",
    ]
    yield _commands(
        "containerd-registry.sh",
        "containerd",
        "containerd: put every hosts.toml in place, and pull by an original name",
        "containerd：写入各个 hosts.toml，并以原名称拉取",
        lines,
    )


def _hosts_toml(reach: Reach, upstream: str) -> str:
    remarks, authorization = [], ""
    if reach.tls:
        remarks.append("If this machine does not trust the mirror's certificate, add below capabilities:")
        remarks.append(f'  ca = "{CONTAINERD_HOSTS}/mirror/ca.crt"')
    if reach.login:
        authorization = f"Basic {CREDENTIALS_PLACEHOLDER}"
        remarks.append(f"Replace {CREDENTIALS_PLACEHOLDER} by what this prints, and keep others out (chmod 600):")
        remarks.append("  printf '%s' NAME:PASSWORD | base64")
    return hosts_toml(upstream, reach.registry_url, remarks=remarks, authorization=authorization)


def _podman(images: _Images) -> Iterator[Snippet]:
    reach = images.reach
    text = registries_conf(images.upstreams, images.authority, tls=reach.tls)
    yield Snippet(
        name="registries.conf",
        tool="podman",
        title="podman, CRI-O, skopeo: images by their original names from the mirror",
        title_zh="podman、CRI-O、skopeo：以原名称从本镜像取得镜像",
        text=text,
        commands=False,
        path=REGISTRIES_CONF,
    )
    repository = site_repository(images.names[0])
    plain = "" if reach.tls else "--tls-verify=false "
    yield _commands(
        "podman-registry.sh",
        "podman",
        "podman, skopeo: put registries.conf in place, pull by original names, list tags",
        "podman、skopeo：写入 registries.conf，以原名称拉取，列出标签",
        [
            *_trust(reach, f"/etc/containers/certs.d/{images.authority}"),
            *PLACING,
            *placing(REGISTRIES_CONF, text),
            *_login("podman", images),
            *(f"podman pull {name}" for name in images.names),
            f"skopeo list-tags {plain}{word(f'docker://{images.authority}/{repository}')}",
        ],
    )


def _trust(reach: Reach, directory: str) -> list[str]:
    """Return where to put an authority that the machine does not know; nothing without TLS."""
    if not reach.tls:
        return []
    return [
        "# If this machine does not trust the mirror's certificate, put its authority's PEM file there:",
        f"#   mkdir -p {word(directory)} && cp FILE.pem {word(f'{directory}/ca.crt')}",
    ]


def _login(program: str, images: _Images) -> list[str]:
    return [f"{program} login --username {NAME_PLACEHOLDER} {word(images.authority)}"] if images.reach.login else []


def _commands(name: str, tool: str, title: str, title_zh: str, lines: Iterable[str]) -> Snippet:
    return Snippet(name, tool, title, title_zh, "\n".join([*lines, ""]), commands=True)
