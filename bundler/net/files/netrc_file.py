"""Credentials for plain files: the user's netrc, looked up by the host that is requested.

A `default` entry is ignored on purpose: it would send one host's password to every mirror.
"""

from __future__ import annotations

import netrc
import os
from pathlib import Path

from bundler.errors import ErrorId, SourceError
from bundler.net.interface import Credentials
from bundler.permissions import require_protected


def netrc_credentials(host: str, path: Path | None = None) -> Credentials | None:
    """Return the credentials of a host, or None.

    Arguments:
        host: the name without port.
        path: the file; by default the one that the variable NETRC names, else ~/.netrc. It may be absent.

    Raises SourceError when the file cannot be read, StorageError when everybody may write to it.
    """
    try:
        file = path or Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    except RuntimeError:
        # a user without HOME and without an entry in passwd, as in containers
        return None
    require_protected(file)
    try:
        entry = netrc.netrc(file).hosts.get(host)
    except FileNotFoundError:
        return None
    except (netrc.NetrcParseError, OSError, UnicodeError) as error:
        reason = f"line {error.lineno}: {error.msg}" if isinstance(error, netrc.NetrcParseError) else str(error)
        raise SourceError(
            ErrorId.CREDENTIALS_UNREADABLE,
            f"cannot be read as netrc: {reason}",
            where=str(file),
            remedy="Mend the file, or point NETRC at another one.",
        ) from error
    return Credentials(entry[0], entry[2]) if entry else None
