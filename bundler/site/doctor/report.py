"""The report: every subject of a role, in an order in which one explains the next."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bundler.site.doctor.certificate_dates import examine_certificates
from bundler.site.doctor.cluster import examine_cluster
from bundler.site.doctor.edge_authority import examine_trust
from bundler.site.doctor.examined import Examined
from bundler.site.doctor.ports import examine_ports
from bundler.site.doctor.services import examine_services
from bundler.site.doctor.supplies import examine_supplies
from bundler.site.step import StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundler.site.config.model import Role
    from bundler.site.step import StepContext

# nothing of this site is older; a host whose battery is empty begins in 1970
OLDEST = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
LITTLE_BYTES = 2 * 1024**3


def examine(at: StepContext) -> tuple[Examined, ...]:
    """Look at everything that can be seen from this host, and change nothing. Raises StorageError."""
    return tuple(look(at) for look in subjects(at.this.role))


def subjects(role: Role) -> tuple[Callable[[StepContext], Examined], ...]:
    """Return what is looked at for a role, in order."""
    common = (examine_host, examine_services, examine_ports, examine_certificates, examine_supplies, examine_trust)
    return (*common, examine_cluster) if role == "cloud" else common


def examine_host(at: StepContext) -> Examined:
    """Look at name, machine, clock and room."""
    now = dt.datetime.fromtimestamp(at.host.now(), dt.UTC)
    free = at.host.free_bytes("/var/lib")
    findings = []
    if now < OLDEST:
        remedy = tr("Set it, or start chronyd: certificates and tokens are compared with it.")
        findings.append(
            StepFinding("clock-wrong", tr("says {now:%Y-%m-%d}", now=now), tr("the clock"), remedy, "fault")
        )
    if free < LITTLE_BYTES:
        what = tr("has {free} MiB left; images and logs lie there", free=free // 1024**2)
        findings.append(StepFinding("disk-full", what, "/var/lib", tr("Make room."), "fault"))
    if at.host.name() != at.this.name:
        what = tr("is {name!r}, and the site says {this_name!r}", name=at.host.name(), this_name=at.this.name)
        # the name of a node that the cluster runs on is not to be changed
        renamed = tr("Run `bundler site apply edge --only hostname`.")
        remedy = (
            renamed
            if at.this.role == "edge"
            else tr("Write {name!r} as this host's `name` in site.yaml.", name=at.host.name())
        )
        findings.append(StepFinding("name-differs", what, tr("the host name"), remedy, "fault"))
    facts = (
        ("name", at.host.name()),
        ("machine", at.host.machine()),
        ("clock", f"{now:%Y-%m-%d %H:%M:%S} UTC"),
        ("free", f"{free // 1024**2} MiB"),
    )
    return Examined("host", facts, tuple(findings))
