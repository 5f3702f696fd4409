"""Invite hosts: a secret for each, one listener for all of them, and the line that a person types on the edge."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SiteError
from bundler.site.config.reading import host_named, host_names
from bundler.site.invitation.invitation_book import Invitation, InvitationBook
from bundler.site.invitation.join_code import SECRET_BYTES, JoinCode
from bundler.site.invitation.listener import DEFAULT_PORT
from bundler.site.invitation.listener_certificate import ListenerCertificate, new_certificate
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.site.config.model import SiteConfig
    from bundler.site.invitation.invitation_book import Ending


@dataclass(frozen=True, slots=True)
class Invited:
    """Hosts that were invited, by codes that nobody has yet.

    Arguments:
        codes: host -> its code.
    """

    certificate: ListenerCertificate
    book: InvitationBook
    codes: Mapping[str, JoinCode]


def invited(hosts: Sequence[str], until_s: float) -> Invited:
    """Make a code for each host.

    Arguments:
        until_s: when the codes expire, on the clock of the book.

    Raises StorageError.
    """
    certificate = new_certificate()
    codes = {host: JoinCode(secrets.token_bytes(SECRET_BYTES), certificate.sha256) for host in hosts}
    return Invited(
        certificate, InvitationBook(Invitation.of(host, code.secret, until_s) for host, code in codes.items()), codes
    )


def require_edges(config: SiteConfig, names: Sequence[str]) -> None:
    """Raise SiteError (SITE_HOST_UNKNOWN) unless all of them are edge hosts of the site."""
    known = host_names(config, "edge")
    for name in names:
        found = host_named(config, name)
        if found is None or found.role != "edge":
            raise SiteError(
                ErrorId.SITE_HOST_UNKNOWN,
                tr(
                    "the site has no edge host {name!r}; there are {known}",
                    name=name,
                    known=", ".join(known) or tr("none"),
                ),
                remedy=tr("Name a host of site.yaml, or add it there."),
                step="",
            )


def mirror_origin(config: SiteConfig) -> str:
    """Return the mirror's address as edges reach it, without a slash at its end."""
    address = config.cloud.addresses[0]
    return f"http://{f'[{address}]' if ':' in address else address}:{config.mirror.http}"


def edge_line(config: SiteConfig, host: str, port: int) -> str:
    """Return what is typed on an edge, as root."""
    options = f" --host {host}" + (f" --port {port}" if port != DEFAULT_PORT else "")
    # -g: an address in brackets is one
    curl = "curl -gfsS" if "[" in mirror_origin(config) else "curl -fsS"
    return f"{curl} {mirror_origin(config)}/-/edge.sh | sh -s -- --join{options}"


def require_used(endings: Mapping[str, Ending]) -> None:
    """Raise SiteError (SITE_INVITATION_ENDED) unless every host came."""
    words = {
        "expired": tr("its time was over"),
        "exhausted": tr("a wrong code was shown too often"),
        "open": tr("it was ended"),
    }
    lines = [f"{host}: {words[ending]}" for host, ending in endings.items() if ending != "used"]
    if lines:
        raise SiteError(
            ErrorId.SITE_INVITATION_ENDED,
            tr("{count} of {total} invitations ended before their hosts came", count=len(lines), total=len(endings)),
            remedy=tr("Invite them again with `bundler site invite --host NAME`."),
            problems=lines,
            step="",
        )
