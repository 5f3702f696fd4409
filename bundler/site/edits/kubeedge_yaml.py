"""cloudcore.yaml and edgecore.yaml by key path: what the site decides of them, and what a person has set beside that.

keadm writes both from its defaults each time that it is called, so what somebody set by hand is found before and put
back after. The guide's line numbers (44, 103; 37, 103) hold for one advertised address of one version.
pkg/apis/componentconfig/{cloudcore,edgecore}/v1alpha1 at the tag.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.host.file_changes import CannotEditError
from bundler.manifest.yaml_edit import edited, read_plain, value_at
from bundler.site.kubeedge_places import CERTIFICATE_PORT, HUB_PORT, TUNNEL_PORT, with_port
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bundler.manifest.yaml_edit import KeyPath
    from bundler.model.json_value import Json
    from bundler.site.config.model import SiteConfig, SiteHost

TOKEN: KeyPath = ("modules", "edgeHub", "token")
ADVERTISED: KeyPath = ("modules", "cloudHub", "advertiseAddress")
KUBECONFIG: KeyPath = ("kubeAPIConfig", "kubeConfig")
HTTP_SERVER: KeyPath = ("modules", "edgeHub", "httpServer")
NODE_NAME: KeyPath = ("modules", "edged", "hostnameOverride")
# what keadm's arguments decide, beside what `cloud_values` and `edge_values` name
CLOUD_ARGUMENTS: tuple[KeyPath, ...] = (("apiVersion",), ("kind",), KUBECONFIG, ADVERTISED)
EDGE_ARGUMENTS: tuple[KeyPath, ...] = (
    ("apiVersion",),
    ("kind",),
    TOKEN,
    HTTP_SERVER,
    NODE_NAME,
    ("modules", "edgeHub", "websocket", "server"),
    ("modules", "edgeHub", "quic", "server"),
    ("modules", "edged", "labels"),
    # of the machine, found anew each time
    ("modules", "edged", "edgedMemoryCapacity"),
)


def advertised_addresses(config: SiteConfig) -> tuple[str, ...]:
    """Return the addresses that cloudcore's certificate has to hold: how edges reach it, and its own."""
    return tuple(dict.fromkeys((*config.cloud.addresses, config.cloud.address)))


def cloud_values(config: SiteConfig) -> Mapping[KeyPath, Json]:
    """Return what the site decides of cloudcore.yaml."""
    settings = config.kubeedge
    return {
        KUBECONFIG: settings.kubeconfig,
        ADVERTISED: list(advertised_addresses(config)),
        ("modules", "cloudStream", "enable"): settings.stream,
        ("modules", "dynamicController", "enable"): settings.dynamic_controller,
        ("modules", "router", "enable"): settings.router,
    }


def edge_values(config: SiteConfig, pause: str, driver: str) -> Mapping[KeyPath, Json]:
    """Return what the site decides of edgecore.yaml.

    Arguments:
        pause: the sandbox image.
        driver: of the engine's control groups; "" where it could not be asked, which leaves the file's.
    """
    settings = config.kubeedge
    values: dict[KeyPath, Json] = {
        ("modules", "edgeStream", "enable"): settings.stream,
        ("modules", "edgeStream", "server"): with_port(config.cloud.addresses[0], TUNNEL_PORT),
        ("modules", "serviceBus", "enable"): settings.service_bus,
        ("modules", "metaManager", "metaServer", "enable"): settings.meta_server,
        ("modules", "edged", "podSandboxImage"): pause,
    }
    return {**values, ("modules", "edged", "cgroupDriver"): driver} if driver else values


def with_values(there: bytes | None, values: Mapping[KeyPath, Json], *, maker: str) -> bytes:
    """Return a file of KubeEdge's with some values.

    Arguments:
        maker: the step that makes the file.

    Raises CannotEditError.
    """
    if there is None:
        raise CannotEditError(tr("does not exist yet"), tr("Run the step {maker} first.", maker=maker))
    try:
        return edited(there, values)
    except ValueError as error:
        raise CannotEditError(
            str(error), tr("Mend it by hand, or move it away and run the step before again.")
        ) from error


def value_lines(values: Mapping[KeyPath, Json]) -> tuple[str, ...]:
    """Return values for a person, a line each."""
    shown = {True: "true", False: "false"}
    return tuple(
        f"{'.'.join(path)}: {shown[value] if isinstance(value, bool) else value}" for path, value in values.items()
    )


def joins(document: Any, config: SiteConfig, this: SiteHost) -> str:
    """Return "" when edgecore.yaml is of this node and this cloud host, else why it is not."""
    servers = {f"https://{with_port(address, CERTIFICATE_PORT)}" for address in config.cloud.addresses}
    hubs = {with_port(address, HUB_PORT) for address in config.cloud.addresses}
    if (server := value_at(document, HTTP_SERVER)) not in servers:
        return tr("it names another cloud host ({server})", server=server)
    if (hub := value_at(document, ("modules", "edgeHub", "websocket", "server"))) not in hubs:
        return tr("it names another cloud host ({hub})", hub=hub)
    if (name := value_at(document, NODE_NAME)) != this.name:
        return tr("it names another node ({name})", name=name)
    return ""


def own_settings(there: bytes, written: bytes | None, decided: Sequence[KeyPath]) -> list[tuple[KeyPath, Json]]:
    """Return what a person has set in a file that keadm wrote.

    Arguments:
        there: what it holds.
        written: what keadm wrote at the time; None when nobody knows, and then all of it counts.
        decided: what others decide, and therefore does not count; everything below these paths as well.

    Raises ValueError when it is no YAML.
    """
    before = {} if written is None else dict(_leaves(read_plain(written)))
    return [
        (path, value)
        for path, value in _leaves(read_plain(there))
        if not any(path[: len(above)] == above for above in decided)
        and (path not in before or _differ(before[path], value))
    ]


def with_own_settings(there: bytes, own: Sequence[tuple[KeyPath, Json]]) -> bytes:
    """Return what keadm wrote with what a person had set before. Raises ValueError."""
    document = read_plain(there)
    # where keadm writes several values, one value takes none of their places
    return edited(there, {path: value for path, value in own if not isinstance(value_at(document, path), dict)})


def _leaves(value: Any, above: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every value that is no mapping of others, by its path; keys that are no text are nobody's here."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            if isinstance(key, str):
                yield from _leaves(inner, (*above, key))
    elif above and value != {}:
        yield above, value


def _differ(one: Any, other: Any) -> bool:
    # 1 == True in Python, and not in YAML
    return bool(one != other) or isinstance(one, bool) != isinstance(other, bool)
