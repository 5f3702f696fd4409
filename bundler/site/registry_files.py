"""Where a site's certificates and logins lie on its hosts, and under which names the registry is reached. Pure.

What an edge cannot make itself is brought to it, by the invitation or by hand: the authority that it is to trust comes
to `AUTHORITY`, whoever it is, and the login that it pulls with to `PULL_LOGIN`, as `bundler robot create` writes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundler.site.config.model import SiteConfig

AUTHORITY = "/etc/bundler/ca/ca.crt"
AUTHORITY_KEY = "/etc/bundler/ca/ca.key"
REGISTRY_CERTIFICATE = "/etc/bundler/registry/registry.crt"
REGISTRY_KEY = "/etc/bundler/registry/registry.key"
PULL_LOGIN = "/etc/bundler/registry/pull.json"
DOCKER_LOGINS = "/root/.docker/config.json"
DOCKER_AUTHORITIES = "/etc/docker/certs.d"


def registry_names(config: SiteConfig) -> tuple[str, ...]:
    """Return every name and address at which the registry on the cloud host is reached, that in image names first.

    Those of edges are left out: nothing is served there, and a new edge would mean a new certificate.
    """
    cloud = config.cloud
    host = config.registry_host.strip("[]")
    return tuple(dict.fromkeys((host, cloud.name, cloud.address, *cloud.addresses)))


def certificate_pair(config: SiteConfig) -> tuple[str, str]:
    """Return the files of the registry's certificate and its key: those of site.yaml, or those issued here."""
    if config.registry.certificate:
        return config.registry.certificate, config.registry.private_key
    return REGISTRY_CERTIFICATE, REGISTRY_KEY


def is_issued_here(config: SiteConfig) -> bool:
    """Tell whether the site's own authority issues the registry's certificate."""
    return config.registry.kind == "harbor" and config.registry_https and not config.registry.certificate


def trusted_file(config: SiteConfig) -> str:
    """Return the authority that the cloud host's engine is to trust for this registry; "" for none of the site's."""
    if not config.registry_https:
        return ""
    return config.registry.ca_file or (AUTHORITY if is_issued_here(config) else config.registry.certificate)


def engine_trust_file(config: SiteConfig) -> str:
    """Return where a container engine looks for this registry's authority: below the host of image names."""
    return f"{DOCKER_AUTHORITIES}/{config.registry_address}/ca.crt"
