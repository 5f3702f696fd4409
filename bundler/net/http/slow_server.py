"""The errors for servers that do not answer in time. Pure."""

from __future__ import annotations

from bundler.errors import ErrorId, SourceError
from bundler.translation import tr

CONNECT_TIMEOUT_S = 20.0
IDLE_TIMEOUT_S = 60.0
CHECK_NETWORK = tr("Check the network, the name server and HTTPS_PROXY, or name a mirror with --mirror.")
GOES_ON = tr("Run the command again; the download goes on where it stopped.")


def not_connected(where: str) -> SourceError:
    """Return the error for a connection that did not come about in time."""
    return _timeout(tr("no connection came about in time"), where, CHECK_NETWORK)


def silent(where: str, idle_timeout_s: float) -> SourceError:
    """Return the error for a server that sent nothing for so many seconds."""
    return _timeout(tr("the server was silent for {idle_timeout_s:g} s", idle_timeout_s=idle_timeout_s), where, GOES_ON)


def _timeout(what: str, where: str, remedy: str) -> SourceError:
    return SourceError(ErrorId.SOURCE_TIMEOUT, what, where=where, remedy=remedy, retryable=True)
