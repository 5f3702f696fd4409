"""The certificates that lie on this host, and how long they are good for."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bundler.site.certificates import summary
from bundler.site.doctor.examined import Examined
from bundler.site.kubeedge_places import CLUSTER_CA, EDGE_CA, EDGE_CERT, STREAM_CA, STREAM_CERT
from bundler.site.registry_files import AUTHORITY, REGISTRY_CERTIFICATE
from bundler.site.step import StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from bundler.site.step import StepContext

FILES = {
    "cloud": (
        EDGE_CA,
        STREAM_CA,
        STREAM_CERT,
        CLUSTER_CA,
        "/etc/kubernetes/pki/apiserver.crt",
        AUTHORITY,
        REGISTRY_CERTIFICATE,
    ),
    "edge": (EDGE_CA, EDGE_CERT),
}
NEAR = dt.timedelta(days=30)


def examine_certificates(at: StepContext) -> Examined:
    """Read each certificate that is there; none that is missing is a fault here, its step says so."""
    facts, findings = [], []
    now = dt.datetime.fromtimestamp(at.host.now(), dt.UTC)
    for path in (*FILES[at.this.role], *_registry_authorities(at)):
        data = at.host.read(path)
        if data is None:
            continue
        span = _span(data)
        if span is None:
            facts.append((path, "unreadable"))
            remedy = (
                tr("Move it away, then: {renewal}", renewal=_renewal(at, path))
                if at.this.role == "cloud"
                else _renewal(at, path)
            )
            findings.append(StepFinding("certificate-unreadable", tr("is no certificate"), path, remedy, "fault"))
            continue
        begin, end = span
        facts.append((path, tr("good until {end:%Y-%m-%d}", end=end)))
        if now < begin:
            what = tr(
                "is good from {begin:%Y-%m-%d %H:%M} UTC on only, and this host's clock says {now:%Y-%m-%d %H:%M}",
                begin=begin,
                now=now,
            )
            findings.append(StepFinding("certificate-early", what, path, tr("Set the clock."), "fault"))
        elif now > end:
            findings.append(
                StepFinding(
                    "certificate-ended", tr("ended on {end:%Y-%m-%d}", end=end), path, _renewal(at, path), "fault"
                )
            )
        elif end - now < NEAR:
            what = tr("ends on {end:%Y-%m-%d}, in {days} days", end=end, days=(end - now).days)
            findings.append(StepFinding("certificate-near-end", what, path, _renewal(at, path), "note"))
    return Examined("certificates", tuple(facts), tuple(findings))


def _renewal(at: StepContext, path: str) -> str:
    """Return how another one takes this one's place."""
    if path.startswith("/etc/kubernetes/"):
        return tr("It is the cluster's, which renews its own: `kubeadm certs renew all` where kubeadm made it.")
    if at.this.role == "edge":
        # a join that finds one leaves it
        again = tr("`bundler site invite --host {name}` on the master", name=at.this.name)
        return tr("Move it away and join anew: {again}.", again=again)
    return tr("Run `bundler site apply {role}`.", role=at.this.role)


def _registry_authorities(at: StepContext) -> list[str]:
    names = at.host.names("/etc/docker/certs.d")
    return [f"/etc/docker/certs.d/{name}/ca.crt" for name in names]


def _span(data: bytes) -> tuple[dt.datetime, dt.datetime] | None:
    try:
        found = summary(data)
    except ValueError:
        return None
    return found.begin, found.end
