"""Endpoints of registries: from host names to URLs, and which of them may be used without TLS.

Owns that decision alone; refuses to authenticate, and to verify certificates (the transport knows where not to).
Follows Docker: plain HTTP is used for registries without TLS on loopback addresses and for those that the operator
names as insecure; for all others TLS only.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bundler.errors import SourceError
from bundler.model.reference import DEFAULT_HOST
from bundler.net.http.status import error_for_status

if TYPE_CHECKING:
    from bundler.net.interface import Transport

# the host of docker.io's registry since version 2 of the protocol
HUB_ENDPOINT = "registry-1.docker.io"
# the status of plain HTTP requests on a TLS port (Go's net/http, nginx)
_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class RegistryEndpoint:
    """Where a registry answers.

    Arguments:
        host: its name in references.
        url: `SCHEME://HOST[:PORT]`.
        insecure: whether credentials may be sent to it without TLS.
        named: whether that is because the operator named it, not because it is this machine: then they may be sent
            without TLS to the token service that it names, too, wherever that is.
    """

    host: str
    url: str
    insecure: bool
    named: bool = False


@dataclass(frozen=True, slots=True)
class RemoteRepository:
    """A repository of a registry; `where` is its name in messages, or that of the image requested from it."""

    endpoint: RegistryEndpoint
    path: str
    where: str

    @property
    def url(self) -> str:
        """The base URL of its manifests and blobs (distribution spec 1.1, "Endpoints")."""
        return f"{self.endpoint.url}/v2/{self.path}"


class EndpointFinder:
    """Finds endpoints, and probes insecure hosts once; safe for many threads.

    Arguments:
        transport: sends the probes; it has the same insecure hosts.
        insecure_hosts: `HOST` (all its ports) or `HOST:PORT`, in addition to the loopback addresses.
    """

    def __init__(self, transport: Transport, insecure_hosts: frozenset[str]) -> None:
        self._transport = transport
        self._insecure_hosts = frozenset(host.lower() for host in insecure_hosts)
        self._lock = threading.Lock()
        self._host_locks: dict[str, threading.Lock] = {}
        self._found: dict[str, RegistryEndpoint] = {}

    def find(self, host: str) -> RegistryEndpoint:
        """Return a registry's endpoint; SourceError when an insecure one answers neither with nor without TLS."""
        named = not self._insecure_hosts.isdisjoint((host.lower(), _name(host)))
        if host == DEFAULT_HOST or (not named and not is_loopback(host)):
            return secure_endpoint(host)
        with self._lock:
            host_lock = self._host_locks.setdefault(host, threading.Lock())
        with host_lock:
            if host not in self._found:
                self._found[host] = RegistryEndpoint(host, self._probe(host), insecure=True, named=named)
            return self._found[host]

    def _probe(self, host: str) -> str:
        """Return the root of the URL at which `/v2/` answers.

        On loopback, where nobody can eavesdrop, plain HTTP is tried first: a simple server that receives a TLS greeting
        may wait for the end of a line that never comes. Elsewhere TLS is tried first.
        """
        failures: dict[str, SourceError] = {}
        for scheme in ("http", "https") if is_loopback(host) else ("https", "http"):
            root = f"{scheme}://{host}"
            try:
                with self._transport.request("GET", f"{root}/v2/") as response:
                    if scheme == "https" or response.status != _BAD_REQUEST:
                        return _same_host(root, response.url)
                    failures[scheme] = error_for_status(response)
            except SourceError as error:
                failures[scheme] = error
        raise failures["https"]


def secure_endpoint(host: str) -> RegistryEndpoint:
    """Return the endpoint of a registry with TLS, without probing it."""
    return RegistryEndpoint(host, f"https://{HUB_ENDPOINT if host == DEFAULT_HOST else host}", insecure=False)


def is_loopback(host: str) -> bool:
    """Tell whether `HOST[:PORT]` is this machine: localhost, 127.0.0.0/8 or ::1, without resolving names."""
    name = _name(host)
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def addresses(host: str) -> tuple[str, ...]:
    """Return the addresses that the name of `HOST[:PORT]` resolves to here, () where it does not resolve."""
    try:
        return tuple(str(found[4][0]) for found in socket.getaddrinfo(_name(host), None, proto=socket.IPPROTO_TCP))
    except (OSError, UnicodeError):
        return ()


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _same_host(root: str, answered: str) -> str:
    """Return the root of the URL that answered if a redirect stayed on the host (http to https), else `root`."""
    parts = urlsplit(answered)
    return f"{parts.scheme}://{parts.netloc}" if _name(parts.netloc) == _name(urlsplit(root).netloc) else root
