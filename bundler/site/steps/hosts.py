"""Names: every host of the site by its name in /etc/hosts, in one block that is replaced whole."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from bundler.host.file_changes import KeepLines
from bundler.host.marked_lines import Marks, without_block
from bundler.site.installer import MARKS
from bundler.site.step import Step, StepContext, StepFinding
from bundler.translation import tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bundler.host.changes import Change
    from bundler.site.config.model import SiteConfig, SiteHost

HOSTS_FILE = "/etc/hosts"


class HostNames(Step):
    """The guide's lines for /etc/hosts; it appends them anew each time, and other ones on each host."""

    name = "hosts"
    title = tr("names of the site's hosts in /etc/hosts")

    def unmet(self, at: StepContext) -> Sequence[StepFinding]:
        """Name lines that somebody else wrote and that win over ours, for the first line of a name counts."""
        content = at.host.read(HOSTS_FILE)
        if content is None:
            return (
                StepFinding(
                    "file-missing", tr("does not exist"), HOSTS_FILE, tr("Make it, with a line for localhost.")
                ),
            )
        wanted = dict(name_lines(at.config, at.this))
        return tuple(
            StepFinding(
                "name-taken",
                tr(
                    "line {number} names {name} {address} already, and the site says {wanted}",
                    number=number,
                    name=name,
                    address=address,
                    wanted=wanted[name],
                ),
                HOSTS_FILE,
                tr("Remove that line."),
            )
            for number, address, name in _foreign(content, MARKS)
            if name in wanted and not _is_same(wanted[name], address) and not _is_loopback(address)
        )

    def changes(self, at: StepContext) -> Sequence[Change]:
        """One block."""
        lines = tuple(f"{address} {name}" for name, address in name_lines(at.config, at.this))
        return (KeepLines(HOSTS_FILE, lines, MARKS),)


def name_lines(config: SiteConfig, this: SiteHost) -> Sequence[tuple[str, str]]:
    """Return (name, address) of every host as this one reaches it: the cloud host's own address only on itself."""
    return [
        (host.name, host.address if host is this or host.role == "edge" else host.addresses[0]) for host in config.hosts
    ]


def _foreign(content: bytes, marks: Marks) -> list[tuple[int, str, str]]:
    """Return (line number, address, name) of every name outside our block; numbers are of the file without it."""
    lines = without_block(content, marks).decode("utf-8", "replace").splitlines()
    words = [(number, line.split("#")[0].split()) for number, line in enumerate(lines, 1)]
    # small and capital letters are the same in host names
    return [(number, found[0], name.lower()) for number, found in words if found for name in found[1:]]


def _is_same(one: str, other: str) -> bool:
    """Tell whether two texts are one address: those of IPv6 are written in many ways."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
