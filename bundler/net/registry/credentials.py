"""What a registry may be told about who asks, and who knows it; `docker_config.py` implements `Logins`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

LoginKind = Literal["password", "identity-token", "registry-token"]


@dataclass(frozen=True, slots=True)
class Login:
    """Credentials for a registry; its repr shows no secret.

    `kind`: a password (or what stands for one), an identity token for the token service's OAuth2 form, or a bearer
    token that goes to the registry as it is. `found_in` names the file or helper, for messages.
    """

    username: str
    secret: str = field(repr=False)
    found_in: str
    kind: LoginKind = "password"


class Logins(Protocol):
    """Where credentials come from."""

    @property
    def looked_in(self) -> str:
        """The places that are searched, for messages."""

    def login(self, host: str, path: str) -> Login | None:
        """Return what is known for a repository of a registry, or None: then it is asked anonymously.

        Raises SourceError (CREDENTIALS_UNREADABLE), ToolMissingError (a credential helper that is configured).
        """


@dataclass(frozen=True, slots=True)
class OneLogin:
    """Credentials that were given for one registry; others are asked anonymously."""

    host: str
    known: Login

    @property
    def looked_in(self) -> str:
        """Where they were found."""
        return self.known.found_in

    def login(self, host: str, path: str) -> Login | None:  # noqa: ARG002 - the Protocol's arguments
        """Return them for their registry."""
        return self.known if host == self.host else None


class NoLogins:
    """Everything is asked anonymously."""

    looked_in = "no place"

    def login(self, host: str, path: str) -> Login | None:  # noqa: ARG002 - the Protocol's arguments
        """Return None."""
        return None
