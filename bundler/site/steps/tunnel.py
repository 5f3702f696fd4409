"""Whether the node works, as far as this host can see: its port for the kubelet's API, the hub, the tunnel for logs.

The node object and its Ready stand in the cluster, which edges do not reach; `bundler site doctor` looks there.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bundler.host.changes import Await
from bundler.site.kubeedge.core_programs import alive
from bundler.site.kubeedge.edgecore_log import ending, journal_lines
from bundler.site.kubeedge_places import EDGED_PORT, HUB_PORT, TUNNEL_PORT, with_port
from bundler.site.step import Step, StepContext
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bundler.host.changes import Change
    from bundler.host.failure import ChangeFailure
    from bundler.host.interface import Host

# the tunnel is up within 12 s of a restart
_WITHIN_S = 60.0


class Tunnel(Step):
    """serviceBus opens no port before there is a rule for it: 9060 tells nothing."""

    name = "tunnel"
    title = tr("the node at work, and its tunnel for logs and exec")

    def changes(self, at: StepContext) -> Sequence[Change]:
        """Patience."""
        address = at.config.cloud.addresses[0]
        waits = [
            _await(
                at,
                tr(
                    "wait for edged on {edged_port} and the hub {address}",
                    edged_port=EDGED_PORT,
                    address=with_port(address, HUB_PORT),
                ),
                _not_at_work,
            )
        ]
        if at.config.kubeedge.stream:
            waits.append(
                _await(at, tr("wait for the tunnel to {address}", address=with_port(address, TUNNEL_PORT)), _no_tunnel)
            )
        return waits


def _await(at: StepContext, title: str, lacking: Callable[[Host], str]) -> Await:
    since = at.host.now()
    return Await(
        title,
        lacking,
        _WITHIN_S,
        tr("Look at `journalctl -u edgecore` here, and at `bundler site doctor` on the master."),
        evidence=lambda host: journal_lines(host, since),
        hopeless=partial(_ended, since=since),
    )


def _ended(host: Host, since: float) -> ChangeFailure | None:
    return None if alive(host, "edgecore") else ending(journal_lines(host, since))


def _not_at_work(host: Host) -> str:
    if not any(open_port.port == EDGED_PORT for open_port in host.listening()):
        return tr("nobody listens on {edged_port}", edged_port=EDGED_PORT)
    return (
        "" if host.connected(HUB_PORT) else tr("no connection to port {hub_port} of the cloud host", hub_port=HUB_PORT)
    )


def _no_tunnel(host: Host) -> str:
    return (
        ""
        if host.connected(TUNNEL_PORT)
        else tr("no connection to port {tunnel_port} of the cloud host", tunnel_port=TUNNEL_PORT)
    )
