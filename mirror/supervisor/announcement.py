"""The text that the mirror shows when it has started: what is served where, and what a client types. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.translation import tr
from mirror.client.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mirror.settings import Settings


def announcement(settings: Settings, site: str, *, host: str, ports: Mapping[str, int], pid: int) -> str:
    """Return the lines.

    Arguments:
        site: what the workers serve, as `worker.describe` words it.
        host: the name by which clients probably know this host.
        ports: those that were bound, by flag: http, ftp, registry.
        pid: of the process that takes signals.
    """
    secure, login = settings.tls is not None, settings.users is not None
    reach = Reach(host=host, http=ports.get("http"), tls=secure, ftp=ports.get("ftp"), login=login)
    registry = Reach(host=host, http=ports.get("registry"), tls=secure, ftp=None, login=login)
    lines = [*site.splitlines(), ""]
    if reach.http_url:
        lines.append(tr("HTTP  {http_url}/  (page, files, {http_url}/-/health)", http_url=reach.http_url))
    if registry.http_url:
        lines.append(tr("/v2/  {http_url}/v2/  (images only, {http_url}/-/health)", http_url=registry.http_url))
    if reach.ftp_url:
        first, last = settings.passive_ports
        also = tr(", TLS on demand") if settings.tls is not None else ""
        lines.append(
            tr(
                "FTP   {ftp_url}/  (passive ports {first}-{last}{also})",
                ftp_url=reach.ftp_url,
                first=first,
                last=last,
                also=also,
            )
        )
    if reach.http_url:
        lines += ["", tr("On a client:"), tr("  curl {http_url}/-/client/", http_url=reach.http_url)]
    lines.append("")
    lines.append(tr("Bundles that come, go or are activated are followed without a signal."))
    lines.append(tr("New certificates or users: kill -HUP {pid}; stop: kill {pid}", pid=pid))
    return "\n".join(lines)
