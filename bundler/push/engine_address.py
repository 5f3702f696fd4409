"""Where the container engine answers, found out before anything of docker-py is loaded.

Owns the default address and the error when nobody is there; refuses to connect (`docker` does).
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SiteError
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_ADDRESS = "unix:///var/run/docker.sock"
STEP = "docker"
_UNIX = "unix://"


def engine_address(environment: Mapping[str, str]) -> str:
    """Return the address that DOCKER_HOST names, or the default one."""
    return environment.get("DOCKER_HOST") or DEFAULT_ADDRESS


def require_socket(environment: Mapping[str, str]) -> None:
    """Raise SiteError (ENGINE_UNREACHABLE) when the address is a socket file that does not exist.

    Everything else shows when connecting.
    """
    address = engine_address(environment)
    path = address.removeprefix(_UNIX)
    if address.startswith(f"{_UNIX}/") and not os.path.lexists(path):  # noqa: PTH - pathlib has no lexists before 3.12
        raise unreachable(address, os.strerror(errno.ENOENT))


def unreachable(where: str, reason: str) -> SiteError:
    """Return the error for an engine that does not answer."""
    return SiteError(
        ErrorId.ENGINE_UNREACHABLE,
        tr("no container engine answers: {reason}", reason=reason),
        where=where,
        remedy=tr(
            "Start it (`systemctl start docker`; install docker if there is none), or name another by DOCKER_HOST."
        ),
        step=STEP,
    )
