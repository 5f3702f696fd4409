"""The JSON schema (draft 2020-12) of `site.yaml`, for editors and other checkers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.manifest.schema import DIALECT, FLAG, TEXT, TEXTS, described, list_of, mapping_of
from bundler.site.config.model import PACKAGE_PROTOCOLS, REGISTRY_KINDS, SITE_ROLES, SITE_VERSION
from bundler.site.config.reading import (
    HOST_NAME,
    KUBEEDGE_VERSION,
    MACHINES,
    MAX_HOSTS,
    MAX_PORT,
    PROJECT,
    REGISTRY_HOST,
)

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    from bundler.model.json_value import Json

_PATH: Mapping[str, Json] = {"type": "string", "pattern": "^/"}
_PORT: Mapping[str, Json] = {"type": "integer", "minimum": 1, "maximum": MAX_PORT}
_ADDRESS: Mapping[str, Json] = {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}


def site_schema() -> Mapping[str, Json]:
    """Return the schema of a whole site."""
    packages = described({"enum": list(PACKAGE_PROTOCOLS)}, "The protocol by which edges get their packages.")
    properties: dict[str, Json] = {
        "version": {"const": SITE_VERSION},
        "hosts": list_of(_host(), max_items=MAX_HOSTS, unique=False),
        "root": described(_PATH, "Where the bundle was unpacked, on every host."),
        "mirror": mapping_of({"http": _PORT, "ftp": {"anyOf": [_PORT, {"const": False}]}, "packages": packages}),
        "registry": _registry(),
        "docker": mapping_of(
            {
                "options": described({"type": "object"}, "Keys of daemon.json, merged into what is there."),
                "tools": TEXTS,
            }
        ),
        "kubeedge": _kubeedge(),
    }
    schema = mapping_of(properties, required=("version", "hosts"))
    return {"$schema": DIALECT, "title": f"bundler site, version {SITE_VERSION}", **schema}


def _host() -> Mapping[str, Json]:
    properties: dict[str, Json] = {
        "name": described(_matching(HOST_NAME), "Its host name, and the node's."),
        "role": {"enum": list(SITE_ROLES)},
        "address": described(_ADDRESS, "An IP address that it has."),
        "reached_at": described(list_of(_ADDRESS), "The addresses at which edges reach it, where they are other ones."),
        "machine": {"enum": list(MACHINES)},
        "labels": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
    }
    return mapping_of(properties, required=("name", "role", "address"))


def _registry() -> Mapping[str, Json]:
    properties: dict[str, Json] = {
        "kind": described({"enum": list(REGISTRY_KINDS)}, "harbor is set up; mirror is the mirror's own; existing is."),
        "host": _matching(REGISTRY_HOST),
        "port": _PORT,
        "https": FLAG,
        "project": _matching(PROJECT),
        "public": described(FLAG, "Whether everybody may pull."),
        "username": TEXT,
        "password_file": described(_PATH, "Holds the password of that account; readable by its owner alone."),
        "certificate": _PATH,
        "private_key": _PATH,
        "ca_file": described(_PATH, "The authority that clients are to trust."),
        "data": described(_PATH, "Directory of Harbor's data."),
    }
    return mapping_of(properties)


def _kubeedge() -> Mapping[str, Json]:
    flags = ("stream", "service_bus", "router", "dynamic_controller", "meta_server")
    properties: dict[str, Json] = {
        "version": _matching(KUBEEDGE_VERSION),
        "kubeconfig": _PATH,
        **dict.fromkeys(flags, FLAG),
        "pause": described(TEXT, "The sandbox image as edges are to name it."),
    }
    return mapping_of(properties)


def _matching(pattern: re.Pattern[str]) -> Mapping[str, Json]:
    return {"type": "string", "pattern": f"^(?:{pattern.pattern})$"}
