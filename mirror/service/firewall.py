"""What opens the mirror's ports: rules of firewalld, or a chain of iptables. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bundler.errors import ToolMissingError
from bundler.host.changes import Change, RunCommand
from bundler.host.file_changes import KeepLines
from bundler.translation import tr
from mirror.service.facts import SAVED_RULES
from mirror.service.saved_rules import IN_FILTER_TABLE, MARKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mirror.service.facts import Facts
    from mirror.settings import ListenAddress, Network, Settings

CHAIN = "KUBEEDGE-MIRROR"
_FAMILIES = {"iptables": 4, "ip6tables": 6}


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports from first to last."""

    first: int
    last: int

    def text(self, separator: str) -> str:
        """Return one port, or both with the separator between."""
        return str(self.first) if self.first == self.last else f"{self.first}{separator}{self.last}"


def opened_ports(settings: Settings) -> tuple[Ports, ...]:
    """Return the ports that clients on other hosts need; none for what listens on loopback only."""
    over_http = [endpoint for endpoint in (settings.http, settings.registry) if endpoint is not None]
    found = [Ports(endpoint.port, endpoint.port) for endpoint in over_http if not _is_local(endpoint)]
    if settings.ftp is not None and not _is_local(settings.ftp):
        found += [Ports(settings.ftp.port, settings.ftp.port), Ports(*settings.passive_ports)]
    return tuple(found)


def _is_local(endpoint: ListenAddress) -> bool:
    try:
        return ipaddress.ip_address(endpoint.host).is_loopback
    except ValueError:
        return endpoint.host == "localhost"


def firewall_changes(facts: Facts, settings: Settings, allow: tuple[Network, ...]) -> tuple[Change, ...]:
    """Return what opens the ports to some networks, or to everybody when none is named.

    Raises ToolMissingError when the host has no firewall that is known.
    """
    ports = opened_ports(settings)
    if not ports:
        return ()
    if facts.firewalld:
        return tuple(_firewalld(ports, allow))
    if not facts.filters:
        raise ToolMissingError(
            tr("firewall-cmd or iptables"), package=tr("firewalld or iptables"), needed_for="--open-firewall"
        )
    return tuple(
        change for tool in facts.filters for change in _iptables(tool, ports, allow, keep=tool in facts.saved_rules)
    )


def _firewalld(ports: tuple[Ports, ...], allow: tuple[Network, ...]) -> Iterator[Change]:
    for port in ports:
        ports_text = port.text("-")
        subjects = [
            (
                "rich-rule",
                f'rule family="ipv{net.version}" source address="{net}" port port="{ports_text}" protocol="tcp" accept',
            )
            for net in allow
        ] or [("port", f"{ports_text}/tcp")]
        for kind, value in subjects:
            # for every start, and for now: a reload would end what others have set up for now only
            for begin in (("firewall-cmd", "--permanent"), ("firewall-cmd",)):
                add, drop, query = ((*begin, f"--{verb}-{kind}={value}") for verb in ("add", "remove", "query"))
                yield RunCommand(add, undo=drop, check=query)


def _iptables(tool: str, ports: tuple[Ports, ...], allow: tuple[Network, ...], *, keep: bool) -> Iterator[Change]:
    networks = [network for network in allow if network.version == _FAMILIES[tool]]
    if allow and not networks:
        return
    sources: list[tuple[str, ...]] = [("-s", str(network)) for network in networks] or [()]
    rules = [("-p", "tcp", *source, "--dport", port.text(":"), "-j", "ACCEPT") for port in ports for source in sources]
    call = (tool, "-w")
    there = (*call, "-n", "-L", CHAIN)
    yield RunCommand((*call, "-N", CHAIN), undo=(*call, "-X", CHAIN), check=there)
    # filled anew each time, so that what was opened once and is not wanted any more is closed
    yield RunCommand((*call, "-F", CHAIN), undo=(*call, "-F", CHAIN), there=there)
    for rule in rules:
        yield RunCommand((*call, "-A", CHAIN, *rule))
    jump = ("INPUT", "-j", CHAIN)
    yield RunCommand((*call, "-I", *jump), undo=(*call, "-D", *jump), check=(*call, "-C", *jump))
    if keep:
        lines = (f":{CHAIN} - [0:0]", *(" ".join(("-A", CHAIN, *rule)) for rule in rules), f"-I INPUT -j {CHAIN}")
        yield KeepLines(SAVED_RULES[tool], lines, MARKS, IN_FILTER_TABLE, mode=0o600)
