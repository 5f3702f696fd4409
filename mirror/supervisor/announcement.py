"""What the mirror says when it has begun: what is served where, and what a client types. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirror.client.reach import Reach

if TYPE_CHECKING:
    from mirror.settings import Settings


def announcement(settings: Settings, site: str, *, host: str, http: int | None, ftp: int | None, pid: int) -> str:
    """Return the lines.

    Arguments:
        site: what the workers say of what they serve, see `worker.describe`.
        host: by which clients probably know this host.
        http, ftp: the ports that were bound, None for `off`.
        pid: of the process that takes signals.
    """
    reach = Reach(host=host, http=http, tls=settings.tls is not None, ftp=ftp, login=settings.users is not None)
    lines = [*site.splitlines(), ""]
    if reach.http_url:
        lines.append(f"HTTP  {reach.http_url}/  (page, files, {reach.http_url}/-/health)")
    if reach.ftp_url:
        first, last = settings.passive_ports
        also = ", TLS on demand" if settings.tls is not None else ""
        lines.append(f"FTP   {reach.ftp_url}/  (passive ports {first}-{last}{also})")
    if reach.http_url:
        lines += ["", "On a client:", f"  curl {reach.http_url}/-/client/"]
    lines.append("")
    lines.append(f"Reload after unpacking or activating a bundle: kill -HUP {pid}; stop: kill {pid}")
    return "\n".join(lines)
