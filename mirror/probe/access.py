"""Whom to trust and who one is: TLS context, name and password. Reads the files that say so."""

from __future__ import annotations

import netrc
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SourceError
from bundler.permissions import require_protected
from bundler.translation import tr
from mirror.probe.interface import MirrorLogin

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSWORD_VARIABLE = "MIRROR_PASSWORD"  # noqa: S105 - a name


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the system's authorities and those of a PEM file; SourceError when it is none."""
    context = ssl.create_default_context()
    if ca_file is not None:
        require_protected(ca_file)
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise SourceError(
                ErrorId.SOURCE_TLS,
                tr("is not a file of certificates: {reason}", reason=error.strerror or error),
                where=str(ca_file),
                remedy=tr("Give --ca-file a readable file of PEM certificates (-----BEGIN CERTIFICATE-----)."),
            ) from error
    return context


def login_for(host: str, name: str | None, environment: Mapping[str, str]) -> MirrorLogin | None:
    """Return the login for a mirror, or None for nobody in particular.

    Arguments:
        name: as the operator gives it; its password is MIRROR_PASSWORD, else what netrc has for the host.
        environment: for MIRROR_PASSWORD, NETRC and HOME.

    Raises SourceError: netrc cannot be read, or has no password for the name.
    """
    if name and (password := environment.get(PASSWORD_VARIABLE)) is not None:
        return MirrorLogin(name, password)
    file = Path(environment.get("NETRC") or f"{environment.get('HOME', '/root')}/.netrc")
    require_protected(file)
    try:
        entry = netrc.netrc(file).hosts.get(host)
    except FileNotFoundError:
        entry = None
    except (netrc.NetrcParseError, OSError, UnicodeError) as error:
        reason = error.msg if isinstance(error, netrc.NetrcParseError) else type(error).__name__
        raise SourceError(
            ErrorId.CREDENTIALS_UNREADABLE,
            tr("cannot be read as netrc: {reason}", reason=reason),
            where=str(file),
            remedy=tr("Mend the file, or point NETRC at another one."),
        ) from error
    if entry is not None and name in (None, entry[0]):
        return MirrorLogin(entry[0], entry[2])
    if name:
        raise SourceError(
            ErrorId.SOURCE_UNAUTHORIZED,
            tr("there is no password for {name}", name=name),
            where=host,
            remedy=tr(
                "Put it into the variable {password_variable}, or name and password into {file}.",
                password_variable=PASSWORD_VARIABLE,
                file=file,
            ),
        )
    return None
