"""`site.yaml` -> `SiteConfig`, or one ManifestError (SITE_CONFIG_INVALID) that holds all problems with their places."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, ManifestError
from bundler.manifest.fields import Fields
from bundler.manifest.node_text import shown
from bundler.manifest.yaml_tree import read_tree
from bundler.model.scope import Scope
from bundler.model.source_text import Items, Pairs, Position, Problems, Scalar
from bundler.site.config.model import (
    DEFAULT_ROOT,
    PACKAGE_PROTOCOLS,
    REGISTRY_KINDS,
    SITE_ROLES,
    SITE_VERSION,
    DockerSettings,
    KubeEdgeSettings,
    MirrorSettings,
    RegistrySettings,
    SiteConfig,
    SiteHost,
)
from bundler.translation import tr, tr_plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.model.json_value import Json
    from bundler.model.source_text import Node

TOP_KEYS = ("version", "hosts", "root", "mirror", "registry", "docker", "kubeedge")
HOST_KEYS = ("name", "role", "address", "reached_at", "machine", "labels")
MIRROR_KEYS = ("http", "ftp", "packages")
REGISTRY_KEYS = (
    *("kind", "host", "port", "https", "project", "public", "username", "password_file"),
    *("certificate", "private_key", "ca_file", "data"),
)
DOCKER_KEYS = ("options", "tools")
KUBEEDGE_KEYS = (
    *("version", "kubeconfig", "stream", "service_bus", "router", "dynamic_controller", "meta_server", "pause"),
)
MACHINES = ("x86_64", "aarch64", "armv7l")
MAX_HOSTS = 10_000
MAX_PORT = 65_535
# RFC 1123, 2.1, as Kubernetes has it for names of nodes
HOST_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
MAX_NAME_CHARACTERS = 253
KUBEEDGE_VERSION = re.compile(r"\d+\.\d+\.\d+")
# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
LABEL_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
# docs of Harbor: a project's name
PROJECT = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
REGISTRY_HOST = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\]")


def read_site(text: bytes, *, file: str) -> SiteConfig:
    """Read a site.

    Arguments:
        text: the file's content. file: its name in positions.

    Raises ManifestError (SITE_CONFIG_INVALID) whose `problems` are all problems in the order of their positions.
    """
    problems = Problems()
    root = read_tree(text, file=file, problems=problems)
    config = None
    if isinstance(root, Scalar) and not root.text:
        problems.error(root.position, tr("the file is empty; `bundler site init` writes one to begin with"))
    elif root is not None:
        config = _site(root, Scope({}, (), problems))
    if problems.errors or config is None:
        found = sorted(set(problems.errors))
        raise ManifestError(
            ErrorId.SITE_CONFIG_INVALID,
            tr_plural("has {count} problem", "has {count} problems", len(found)),
            where=file,
            remedy=tr("Mend what is listed above, then try again with `bundler site check-config`."),
            problems=[str(problem) for problem in found],
        )
    return config


def _site(root: Node, scope: Scope) -> SiteConfig | None:
    fields = Fields(root, scope, known=TOP_KEYS, what=tr("the site"))
    version = fields.number("version", default=None, at_least=SITE_VERSION, at_most=SITE_VERSION)
    if version is None and not fields.has("version"):
        fields.node("version", required=True)
    config = SiteConfig(
        _hosts(fields, scope),
        _absolute(fields, "root", DEFAULT_ROOT),
        _mirror(fields),
        _registry(fields, scope),
        _docker(fields, scope),
        _kubeedge(fields),
    )
    return config if fields.ok else None


def _hosts(fields: Fields, scope: Scope) -> tuple[SiteHost, ...]:
    nodes = fields.items("hosts", required=True)
    if len(nodes) > MAX_HOSTS:
        fields.error("hosts", tr("lists more than {max_hosts} hosts", max_hosts=MAX_HOSTS))
    read = [(node.position, host) for node in nodes[:MAX_HOSTS] if (host := _host(node, scope)) is not None]
    names: dict[str, Position] = {}
    taken: dict[str, SiteHost] = {}
    for position, host in read:
        if host.name in names:
            scope.problems.error(
                position,
                tr("a host {name} stands on line {line} already", name=shown(host.name), line=names[host.name].line),
            )
        names.setdefault(host.name, position)
        # behind one address translation several edges may share what they are reached at, but not what they have
        if (other := taken.setdefault(host.address, host)) is not host and host.role == other.role:
            wrong = tr(
                "{name!r} and {other_name!r} cannot both have {address}",
                name=host.name,
                other_name=other.name,
                address=host.address,
            )
            scope.problems.error(position, wrong)
    clouds = [host.name for _, host in read if host.role == "cloud"]
    if len(clouds) != 1 and fields.ok:
        fields.error(
            "hosts", tr("want exactly one host with role: cloud, got {clouds}", clouds=", ".join(clouds) or tr("none"))
        )
    return tuple(host for _, host in read)


def _host(node: Node, scope: Scope) -> SiteHost | None:
    fields = Fields(node, scope, known=HOST_KEYS, what="a host")
    name = _matching(
        fields, "name", HOST_NAME, tr("lower-case letters, digits and -, as Kubernetes wants it"), required=True
    )
    if len(name) > MAX_NAME_CHARACTERS:
        fields.error(
            "name", tr("is longer than {max_name_characters} characters", max_name_characters=MAX_NAME_CHARACTERS)
        )
    fields.node("role", required=True)
    role = fields.choice("role", SITE_ROLES, default="edge")
    address = fields.text("address", required=True)
    if address is not None and not is_address(address.text):
        fields.error("address", tr("{text} is no IP address", text=shown(address.text)))
    reached_at = fields.texts("reached_at")
    for scalar in reached_at:
        if not is_address(scalar.text):
            scope.problems.error(scalar.position, tr("'reached_at': {text} is no IP address", text=shown(scalar.text)))
    host = SiteHost(
        name=name,
        role="cloud" if role == "cloud" else "edge",
        address=address.text if address else "",
        reached_at=tuple(scalar.text for scalar in reached_at),
        machine=fields.choice("machine", MACHINES, default=""),
        labels=_labels(fields, scope),
    )
    return host if fields.ok else None


def _labels(fields: Fields, scope: Scope) -> dict[str, str]:
    labels = fields.pairs("labels", empty_values=True)
    for key, value in labels:
        # keadm splits them at commas and the first equals sign
        if not LABEL_KEY.fullmatch(key.text):
            scope.problems.error(
                key.position, tr("'labels': {text} cannot be the name of a label", text=shown(key.text))
            )
        if not LABEL_VALUE.fullmatch(value.text):
            scope.problems.error(
                value.position, tr("'labels': {text} cannot be the value of a label", text=shown(value.text))
            )
    return {key.text: value.text for key, value in labels}


def _mirror(fields: Fields) -> MirrorSettings:
    inner = fields.inner("mirror", known=MIRROR_KEYS, what=tr("the mirror's settings"))
    default = MirrorSettings()
    if inner is None:
        return default
    ftp = inner.node("ftp")
    if isinstance(ftp, Scalar) and ftp.value is False:
        # YAML 1.1 reads the word `off` as false
        inner.forget("ftp")
    has_ftp = not (isinstance(ftp, Scalar) and ftp.value is False)
    packages = inner.choice("packages", PACKAGE_PROTOCOLS, default=default.packages)
    if packages == "ftp" and not has_ftp:
        inner.error("packages", tr("over ftp there are none where ftp is off"))
    return MirrorSettings(
        _port(inner, "http", default.http) or default.http,
        _port(inner, "ftp", default.ftp) if has_ftp else None,
        "ftp" if packages == "ftp" else "http",
    )


def _registry(fields: Fields, scope: Scope) -> RegistrySettings:
    inner = fields.inner("registry", known=REGISTRY_KEYS, what=tr("the registry's settings"))
    default = RegistrySettings()
    if inner is None:
        return default
    kind = inner.choice("kind", REGISTRY_KINDS, default=default.kind)
    settings = RegistrySettings(
        kind=next(known for known in REGISTRY_KINDS if known == kind),
        host=_matching(inner, "host", REGISTRY_HOST, tr("a host name or an IP address, without scheme and port")),
        port=_port(inner, "port", None),
        https=inner.flag("https", default=default.https),
        project=_matching(inner, "project", PROJECT, tr("lower-case words joined by . _ or -")),
        public=inner.flag("public", default=default.public),
        username=_text(inner, "username", default.username),
        password_file=_absolute(inner, "password_file", default.password_file if kind == "harbor" else ""),
        certificate=_absolute(inner, "certificate", ""),
        private_key=_absolute(inner, "private_key", ""),
        ca_file=_absolute(inner, "ca_file", ""),
        data=_absolute(inner, "data", default.data),
    )
    if bool(settings.certificate) != bool(settings.private_key):
        given = "certificate" if settings.certificate else "private_key"
        inner.error(given, tr("certificate and private_key stand together, or neither of them"))
    if settings.kind == "existing" and not settings.host:
        scope.problems.error(inner.position, tr("a registry of the kind 'existing' wants its 'host'"))
    return settings


def _docker(fields: Fields, scope: Scope) -> DockerSettings:
    inner = fields.inner("docker", known=DOCKER_KEYS, what="docker's settings")
    default = DockerSettings()
    if inner is None:
        return default
    options = inner.node("options")
    value: Any = {}
    if isinstance(options, Pairs):
        value = _plain(options)
    elif options is not None:
        inner.error("options", tr("want a mapping of keys of daemon.json"))
    tools = tuple(scalar.text for scalar in inner.texts("tools")) if inner.has("tools") else default.tools
    del scope
    return DockerSettings(value, tools)


def _kubeedge(fields: Fields) -> KubeEdgeSettings:
    inner = fields.inner("kubeedge", known=KUBEEDGE_KEYS, what=tr("KubeEdge's settings"))
    default = KubeEdgeSettings()
    if inner is None:
        return default
    return KubeEdgeSettings(
        version=_matching(inner, "version", KUBEEDGE_VERSION, "X.Y.Z, without a v") or default.version,
        kubeconfig=_absolute(inner, "kubeconfig", default.kubeconfig),
        stream=inner.flag("stream", default=default.stream),
        service_bus=inner.flag("service_bus", default=default.service_bus),
        router=inner.flag("router", default=default.router),
        dynamic_controller=inner.flag("dynamic_controller", default=default.dynamic_controller),
        meta_server=inner.flag("meta_server", default=default.meta_server),
        pause=_text(inner, "pause", default.pause),
    )


def _text(fields: Fields, key: str, default: str) -> str:
    scalar = fields.text(key)
    return default if scalar is None else scalar.text


def _matching(fields: Fields, key: str, pattern: re.Pattern[str], wanted: str, *, required: bool = False) -> str:
    scalar = fields.text(key, required=required)
    if scalar is None:
        return ""
    if not pattern.fullmatch(scalar.text):
        fields.error(key, tr("{text}: want {wanted}", text=shown(scalar.text), wanted=wanted))
    return scalar.text


def _absolute(fields: Fields, key: str, default: str) -> str:
    path = _text(fields, key, default)
    if path and not path.startswith("/"):
        fields.error(key, tr("{path} is a relative path; name it from the root directory on", path=shown(path)))
    return path


def _port(fields: Fields, key: str, default: int | None) -> int | None:
    return fields.number(key, default=default, at_least=1, at_most=MAX_PORT)


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _plain(node: Node) -> Json:
    match node:
        case Scalar():
            return node.value if isinstance(node.value, str | int | float | bool | None) else node.text
        case Items():
            return [_plain(item) for item in node.items]
        case Pairs():
            return {str(key.value): _plain(value) for key, value in node.pairs}


def host_named(config: SiteConfig, name: str) -> SiteHost | None:
    """Return the host of that name, or None."""
    return next((host for host in config.hosts if host.name == name), None)


def host_names(config: SiteConfig, role: str) -> Sequence[str]:
    """Return the names of the hosts of a role."""
    return [host.name for host in config.hosts if host.role == role]
