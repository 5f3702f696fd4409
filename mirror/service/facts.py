"""What there is to know of a host before it is decided what the mirror's service takes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bundler.host.interface import Host

SYSTEMD_RUNS = "/run/systemd/system"
SELINUX = "/sys/fs/selinux/enforce"
LOGROTATE = "/etc/logrotate.d"
# iptables-services of EL systems, and what it restores at every start
RULES_SERVICE = "/usr/libexec/iptables/iptables.init"
SAVED_RULES = {"iptables": "/etc/sysconfig/iptables", "ip6tables": "/etc/sysconfig/ip6tables"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a plan depends on.

    Arguments:
        systemd: it runs this host.
        firewalld: it is in charge of the firewall.
        filters: those of iptables and ip6tables that work.
        saved_rules: those of them whose rules are restored from a file at every start.
        selinux: it is on.
        logrotate: it looks after logs.
        interpreter: the Python that runs the mirror.
        installation: where that one really is when `interpreter` is a link, as in a virtual environment.
        launcher: what starts the mirror instead where a bundle brings it; "" elsewhere.
    """

    systemd: bool
    firewalld: bool
    filters: tuple[str, ...]
    saved_rules: tuple[str, ...]
    selinux: bool
    logrotate: bool
    interpreter: str
    installation: str = ""
    launcher: str = ""


def facts_of(host: Host, interpreter: str, installation: str = "", launcher: str = "") -> Facts:
    """Look at a host; changes nothing."""
    filters = tuple(tool for tool in SAVED_RULES if host.run((tool, "-w", "-n", "-L", "INPUT")).code == 0)
    kept = host.exists(RULES_SERVICE)
    return Facts(
        systemd=host.exists(SYSTEMD_RUNS),
        firewalld=host.run(("firewall-cmd", "--state")).code == 0,
        filters=filters,
        saved_rules=tuple(tool for tool in filters if kept and host.exists(SAVED_RULES[tool])),
        selinux=host.exists(SELINUX),
        logrotate=host.exists(LOGROTATE),
        interpreter=interpreter,
        installation=installation,
        launcher=launcher,
    )
