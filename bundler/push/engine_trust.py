"""Which registries an engine speaks to without verified TLS, and what follows for a push through it. Pure.

Owns the reading of the engine's settings (`RegistryConfig` of the Engine API's /info); refuses to change them. No
client can tell an engine otherwise: --plain-http, --insecure and --ca-file are for connections of our own. Whom it
trusts is in no setting that it tells; what it says when it is made to ask the registry for something is handed in.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, SiteError

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class WantedTrust:
    """What the operator wants of the connection to a registry.

    Arguments:
        host: the registry, as Docker takes it for one (`reference.docker_host`).
        option: what asks for a connection without verified TLS, `--plain-http` or `--insecure`; "" for neither.
        own_authority: whether --ca-file is given.
    """

    host: str
    option: str = ""
    own_authority: bool = False

    def obstacle(self, *, insecure: bool, said: str = "") -> str:
        """Return why an engine could not speak to the registry so, "" where it could.

        Arguments:
            insecure: whether the engine speaks to it without verified TLS.
            said: what the engine says against its certificate, "" where it has not been asked or has nothing to say.
        """
        if self.option and not insecure:
            return f"it speaks to {self.host} by verified TLS alone, whatever {self.option} says"
        if said:
            return f"it does not read --ca-file, and says of {self.host}: {said}"
        # distribution's reference grammar knows no such host before Docker 23
        return "not every engine takes an IPv6 address for a registry" if self.host.startswith("[") else ""


def require_trust(wanted: WantedTrust, where: str, *, insecure: bool, said: str = "") -> None:
    """Raise SiteError (ENGINE_WANTS_TLS) before anything is loaded, where the push could only fail."""
    if wanted.option and not insecure:
        remedy = (
            f'Add "{wanted.host}" to "insecure-registries" in its /etc/docker/daemon.json and reload it '
            "(systemctl reload docker)"
        )
    elif said:
        remedy = f"Copy the file to /etc/docker/certs.d/{wanted.host}/ca.crt on its host, which is read at every push"
    else:
        return
    raise SiteError(
        ErrorId.ENGINE_WANTS_TLS,
        f"the engine could not push: {wanted.obstacle(insecure=insecure, said=said)}",
        where=where,
        remedy=f"{remedy}, or push with --via registry, which no engine has to know of.",
        step="push-images",
    )


def is_insecure(registry_config: Any, host: str, addresses: Iterable[str]) -> bool:
    """Tell whether an engine speaks to a registry without verified TLS (moby registry/config.go, `isSecureIndex`).

    Arguments:
        registry_config: `RegistryConfig` as the engine tells it.
        host: `HOST[:PORT]`, which has to be listed in just this form.
        addresses: what the host's name stands for; they count where a whole network is insecure.
    """
    config = registry_config if isinstance(registry_config, dict) else {}
    indexes, listed = config.get("IndexConfigs"), config.get("InsecureRegistryCIDRs")
    index = indexes.get(host) if isinstance(indexes, dict) else None
    if isinstance(index, dict):
        return index.get("Secure") is False
    networks = [network for text in listed if (network := _network(text))] if isinstance(listed, list) else []
    found = [address for text in addresses if (address := _address(text))]
    return any(address in network for address in found for network in networks)


def _network(text: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except (ValueError, TypeError):
        return None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
