"""Where a registry answers: host names to URLs, and which of them may do without TLS.

Owns that decision alone; refuses to authenticate, and to verify certificates (the transport knows where not to).
Follows Docker: registries on loopback addresses and those that the operator names as insecure are spoken to over plain
HTTP where they speak no TLS, all others over TLS only.
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

# what docker.io has answered registry requests under since version 2 of the protocol
HUB_ENDPOINT = "registry-1.docker.io"
# what servers answer to plain HTTP on a port where they speak TLS (Go's net/http, nginx)
_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registry that answers.

    Arguments:
        host: its name in references.
        url: `SCHEME://HOST[:PORT]`.
        insecure: whether credentials may travel to it without TLS.
        named: whether the operator has said so, and it is not for being this machine alone: then they may travel so to
            the token service that it names, wherever that is.
    """

    host: str
    url: str
    insecure: bool
    named: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of a registry; `where` is what messages call it, or call the image that is wanted of it."""

    endpoint: Endpoint
    path: str
    where: str

    @property
    def url(self) -> str:
        """The URL under which its manifests and blobs lie (distribution spec 1.1, "Endpoints")."""
        return f"{self.endpoint.url}/v2/{self.path}"


class Endpoints:
    """Finds endpoints, and probes insecure hosts once; safe for many threads.

    Arguments:
        transport: sends the probes; it was told of the same insecure hosts.
        insecure_hosts: `HOST` (all its ports) or `HOST:PORT`, beside the loopback addresses.
    """

    def __init__(self, transport: Transport, insecure_hosts: frozenset[str]) -> None:
        self._transport = transport
        self._insecure_hosts = frozenset(host.lower() for host in insecure_hosts)
        self._lock = threading.Lock()
        self._host_locks: dict[str, threading.Lock] = {}
        self._found: dict[str, Endpoint] = {}

    def find(self, host: str) -> Endpoint:
        """Return where a registry answers; SourceError when an insecure one answers neither way."""
        named = not self._insecure_hosts.isdisjoint((host.lower(), _name(host)))
        if host == DEFAULT_HOST or (not named and not is_loopback(host)):
            return secure_endpoint(host)
        with self._lock:
            host_lock = self._host_locks.setdefault(host, threading.Lock())
        with host_lock:
            if host not in self._found:
                self._found[host] = Endpoint(host, self._probe(host), insecure=True, named=named)
            return self._found[host]

    def _probe(self, host: str) -> str:
        """Return the root of the URL under which `/v2/` answers.

        On loopback, where nobody listens in, plain HTTP is tried first: a small server that is sent a TLS greeting may
        wait for the end of a line that never comes. Elsewhere TLS comes first.
        """
        failures: dict[str, SourceError] = {}
        for scheme in ("http", "https") if is_loopback(host) else ("https", "http"):
            asked = f"{scheme}://{host}"
            try:
                with self._transport.request("GET", f"{asked}/v2/") as answer:
                    if scheme == "https" or answer.status != _BAD_REQUEST:
                        return _same_host(asked, answer.url)
                    failures[scheme] = error_for_status(answer)
            except SourceError as error:
                failures[scheme] = error
        raise failures["https"]


def secure_endpoint(host: str) -> Endpoint:
    """Return where a registry answers by TLS, which nobody has to be asked about."""
    return Endpoint(host, f"https://{HUB_ENDPOINT if host == DEFAULT_HOST else host}", insecure=False)


def is_loopback(host: str) -> bool:
    """Tell whether `HOST[:PORT]` is this machine: localhost, 127.0.0.0/8 or ::1, without asking a name service."""
    name = _name(host)
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def addresses(host: str) -> tuple[str, ...]:
    """Return the addresses that the name of `HOST[:PORT]` stands for here, () where it stands for none."""
    try:
        return tuple(str(found[4][0]) for found in socket.getaddrinfo(_name(host), None, proto=socket.IPPROTO_TCP))
    except (OSError, UnicodeError):
        return ()


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _same_host(asked: str, answered: str) -> str:
    """Return the root of the URL that answered when a redirect stayed on the host (http to https), else of ours."""
    parts = urlsplit(answered)
    return f"{parts.scheme}://{parts.netloc}" if _name(parts.netloc) == _name(urlsplit(asked).netloc) else asked
