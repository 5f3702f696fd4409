"""edge.sh as the master's mirror hands it out, for ssh to bring to the edges: so nobody between can change its sums."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.errors import ErrorId, SiteError
from bundler.site.invitation.inviting import mirror_origin
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.host.interface import Host
    from bundler.site.config.model import SiteConfig

_PATH = "/-/edge.sh"
_OK = 200
# the last line, without which the script does nothing
_LAST = 'edge "$@"\n'


def edge_script_copy(master: Host, config: SiteConfig) -> bytes:
    """Return the script, with the mirror's address as edges reach it. Raises SiteError (SITE_UNMET)."""
    address = config.cloud.address
    answer = master.http_get(address, config.mirror.http, _PATH, tls=False)
    origin = f"http://{f'[{address}]' if ':' in address else address}:{config.mirror.http}"
    if answer is None or answer.status != _OK or not answer.text.endswith(_LAST):
        got = (
            "nothing"
            if answer is None
            else tr("status {status}", status=answer.status)
            if answer.status != _OK
            else tr("half of it")
        )
        raise SiteError(
            ErrorId.SITE_UNMET,
            tr("the mirror on this host gives {got}", got=got),
            where=origin + _PATH,
            remedy=tr("Start it with a bundle that has a part for edges: `bundler site apply cloud --only mirror`."),
            step="",
        )
    # behind an address translation the master reaches itself at another address than edges do
    return answer.text.replace(f"'{origin}/", f"'{mirror_origin(config)}/", 1).encode()
