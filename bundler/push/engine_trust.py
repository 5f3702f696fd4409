"""Which registries an engine uses without verified TLS, and what follows for a push through it. Pure.

Owns the reading of the engine's settings (`RegistryConfig` of the Engine API's /info); refuses to change them. No
client can override them: --plain-http, --insecure and --ca-file are for our own connections. The authorities that it
trusts are not in /info; the message that it gives after a request to the registry is handed in.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bundler.errors import ErrorId, SiteError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class WantedTrust:
    """What the operator wants of the connection to a registry.

    Arguments:
        host: the registry, in the form that Docker accepts (`reference.docker_host`).
        option: the one that requests a connection without verified TLS, `--plain-http` or `--insecure`; "" for neither.
        own_authority: whether --ca-file is given.
    """

    host: str
    option: str = ""
    own_authority: bool = False

    def obstacle(self, *, insecure: bool, distrust: str = "") -> str:
        """Return why an engine could not push to the registry in this way, "" where it could.

        Arguments:
            insecure: whether the engine uses it without verified TLS.
            distrust: the engine's message about its certificate, "" where there is none or no request was made.
        """
        if self.option and not insecure:
            return tr(
                "it speaks to {host} by verified TLS alone, whatever {option} says", host=self.host, option=self.option
            )
        if distrust:
            return tr("it does not read --ca-file, and says of {host}: {distrust}", host=self.host, distrust=distrust)
        # distribution's reference grammar has no such host before Docker 23
        return tr("not every engine takes an IPv6 address for a registry") if self.host.startswith("[") else ""


def require_trust(wanted: WantedTrust, where: str, *, insecure: bool, distrust: str = "") -> None:
    """Raise SiteError (ENGINE_WANTS_TLS) where the push could only fail; to be called before anything is loaded."""
    if wanted.option and not insecure:
        remedy = tr(
            'Add "{host}" to "insecure-registries" in its /etc/docker/daemon.json and reload it '
            "(systemctl reload docker)",
            host=wanted.host,
        )
    elif distrust:
        remedy = tr(
            "Copy the file to /etc/docker/certs.d/{host}/ca.crt on its host, which is read at every push",
            host=wanted.host,
        )
    else:
        return
    raise SiteError(
        ErrorId.ENGINE_WANTS_TLS,
        tr("the engine could not push: {obstacle}", obstacle=wanted.obstacle(insecure=insecure, distrust=distrust)),
        where=where,
        remedy=tr("{remedy}, or push with --via registry, which no engine has to know of.", remedy=remedy),
        step="push-images",
    )


def is_insecure(registry_config: Any, host: str, addresses: Iterable[str]) -> bool:
    """Tell whether an engine uses a registry without verified TLS (moby registry/config.go, `isSecureIndex`).

    Arguments:
        registry_config: the engine's `RegistryConfig`.
        host: `HOST[:PORT]`, which has to be listed in exactly this form.
        addresses: those that the host's name resolves to; they count where a whole network is insecure.
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
