"""The ports of a role: who listens on the cloud's, and whether an edge is connected to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.site.doctor.examined import Examined
from bundler.site.kubeedge_places import CERTIFICATE_PORT, HUB_PORT, STREAM_PORT, TUNNEL_PORT
from bundler.site.step import StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.site.config.model import SiteConfig
    from bundler.site.step import StepContext


def used_ports(config: SiteConfig) -> dict[int, str]:
    """Return the ports of cloudcore, each with what it is for."""
    ports = {HUB_PORT: tr("edges' connections"), CERTIFICATE_PORT: tr("edges' certificates")}
    if config.kubeedge.stream:
        ports |= {STREAM_PORT: tr("logs and exec for the API server"), TUNNEL_PORT: tr("edges' tunnels")}
    return ports


def examine_ports(at: StepContext) -> Examined:
    """Look at the ports from the side that this host is on."""
    return _listening(at) if at.this.role == "cloud" else _connected(at)


def _listening(at: StepContext) -> Examined:
    names = {process.pid: process.name for process in at.host.processes()}
    holders = {port.port: names.get(port.pid, "somebody") for port in at.host.listening()}
    wanted = {port: ("cloudcore", use) for port, use in used_ports(at.config).items()}
    facts, findings = [], []
    for port, (program, use) in sorted(wanted.items()):
        holder = holders.get(port)
        facts.append((str(port), holder or "nobody"))
        if holder is None:
            remedy = tr("Look at `bundler site check cloud`; cloudcore opens its ports up to 10 s after its start.")
            findings.append(
                StepFinding(
                    "port-closed", tr("nobody listens ({use})", use=use), tr("port {port}", port=port), remedy, "fault"
                )
            )
        elif holder not in (program, "somebody"):
            what = tr("{holder} listens where {program} should ({use})", holder=holder, program=program, use=use)
            findings.append(StepFinding("port-taken", what, tr("port {port}", port=port), f"End {holder}.", "fault"))
    return Examined("ports", tuple(facts), tuple(findings))


def _connected(at: StepContext) -> Examined:
    address = at.config.cloud.addresses[0]
    facts, findings = [], []
    wanted = {HUB_PORT: tr("KubeEdge's connection")} | (
        {TUNNEL_PORT: tr("the tunnel")} if at.config.kubeedge.stream else {}
    )
    for port, use in wanted.items():
        there = at.host.connected(port)
        facts.append((f"{address}:{port}", "connected" if there else tr("not connected")))
        if not there:
            reached = at.host.listens(address, port)
            remedy = (
                tr("Look at `journalctl -u edgecore -n 50`.")
                if reached
                else tr(
                    "Let this host reach {address}:{port}: look at cables, routes and firewalls.",
                    address=address,
                    port=port,
                )
            )
            what = tr("{use} is not established", use=use) + ("" if reached else tr(", and nothing answers there"))
            findings.append(StepFinding("not-connected", what, f"{address}:{port}", remedy, "fault"))
    return Examined("ports", tuple(facts), tuple(findings))
