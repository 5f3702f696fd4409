"""Credentials for registries, and where they come from; `docker_config.py` implements `Logins`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from bundler.translation import tr

LoginKind = Literal["password", "identity-token", "registry-token"]


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """Credentials for a registry; its repr shows no secret.

    `kind`: a password (or a token used as one), an identity token for the token service's OAuth2 form, or a bearer
    token that is sent to the registry as it is. `found_in` names the file or helper, for messages.
    """

    username: str
    secret: str = field(repr=False)
    found_in: str
    kind: LoginKind = "password"


class Logins(Protocol):
    """Where credentials come from."""

    @property
    def searched(self) -> str:
        """The places that are searched, for messages."""

    def login(self, host: str, path: str) -> RegistryLogin | None:
        """Return the credentials for a repository of a registry, or None for anonymous requests.

        Raises SourceError (CREDENTIALS_UNREADABLE), ToolMissingError (a credential helper that is configured).
        """


@dataclass(frozen=True, slots=True)
class OneLogin:
    """Credentials that were given for one registry; requests to others are anonymous."""

    host: str
    known: RegistryLogin

    @property
    def searched(self) -> str:
        """Where they come from."""
        return self.known.found_in

    def login(self, host: str, path: str) -> RegistryLogin | None:  # noqa: ARG002 - the Protocol's arguments
        """Return them for their registry."""
        return self.known if host == self.host else None


class NoLogins:
    """All requests are anonymous."""

    searched = tr("no place")

    def login(self, host: str, path: str) -> RegistryLogin | None:  # noqa: ARG002 - the Protocol's arguments
        """Return None."""
        return None
