"""How the service is: systemd's view, the ports, and what the mirror says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mirror.service.installation import installed_on
from mirror.service.unit import UNIT_NAME

if TYPE_CHECKING:
    from bundler.host.interface import Host, HttpAnswer
    from mirror.settings import Endpoint

_PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "MainPID")
_HEALTH = "/-/health"
_OK = 200


@dataclass(frozen=True, slots=True)
class Status:
    """What was found.

    Arguments:
        installed: whether `mirror service install` was here.
        unit: systemd's properties by name; empty without systemd.
        listening: `http` and `ftp`, those that should, and whether they do.
        health: what the mirror answers; None when it does not, or has no HTTP.
    """

    installed: bool
    unit: dict[str, str]
    listening: dict[str, bool]
    health: HttpAnswer | None

    @property
    def good(self) -> bool:
        """Whether the mirror runs and is well."""
        answered = self.health.status == _OK if self.health is not None else "http" not in self.listening
        return self.unit.get("ActiveState") == "active" and all(self.listening.values()) and answered


def status_of(host: Host) -> Status:
    """Look at the host; changes nothing. Raises ServeError when the journal cannot be read."""
    installed = installed_on(host)
    shown = host.run(("systemctl", "show", UNIT_NAME, *(f"--property={name}" for name in _PROPERTIES)))
    unit = dict(line.partition("=")[::2] for line in shown.stdout.splitlines() if "=" in line)
    if installed is None:
        return Status(False, unit, {}, None)
    places = installed.listening
    named = {"http": places.http, "ftp": places.ftp}
    ports = {name: endpoint for name, endpoint in named.items() if endpoint is not None}
    listening = {name: host.listens(_near(endpoint), endpoint.port) for name, endpoint in ports.items()}
    health = None
    if places.http is not None:
        health = host.http_get(_near(places.http), places.http.port, _HEALTH, tls=places.tls)
    return Status(True, unit, listening, health)


def _near(endpoint: Endpoint) -> str:
    """Return the address by which this host reaches what listens there."""
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(endpoint.host, endpoint.host)  # noqa: S104
