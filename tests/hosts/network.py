"""The cables between hosts: a bridge that leads nowhere else, and a network namespace for each host.

The namespace is the host's network card: its address stays while the host is rebooted or without power.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.hosts.enclosure import Enclosure

# RFC 5737: addresses for documentation, which nobody has
SUBNET = "198.51.100"
BESIDE = "beside"
BRIDGE = "hosts"


class Network:
    """A bridge for hosts by their names, inside a stage's enclosure.

    Attributes:
        addresses: name -> address; `beside` is where programs of this machine run, with `Enclosure.network_prefix`.
    """

    def __init__(self, enclosure: Enclosure, names: tuple[str, ...]) -> None:
        self._enclosure = enclosure
        numbered = {name: f"{SUBNET}.{number}" for number, name in enumerate(names, 1)}
        self.addresses = {**numbered, BESIDE: f"{SUBNET}.254"}
        self._cables = {name: f"cable{number}" for number, name in enumerate(names, 1)}
        self._ip("link", "add", BRIDGE, "type", "bridge")
        self._ip("addr", "add", f"{self.addresses[BESIDE]}/24", "dev", BRIDGE)
        self._ip("link", "set", BRIDGE, "up")
        self._ip("link", "set", "lo", "up")
        for name in names:
            self._lay_cable(name)

    def path(self, name: str) -> str:
        """Return the file of a host's namespace, inside the enclosure."""
        return f"/run/netns/{name}"

    def cut(self, name: str) -> None:
        """Pull out a host's cable: nothing arrives any more, and the host sees that its carrier is lost."""
        self._ip("link", "set", self._cables[name], "down")

    def join(self, name: str) -> None:
        """Plug the cable in again."""
        self._ip("link", "set", self._cables[name], "up")

    def slow(self, name: str, rate: str) -> None:
        """Let no more than this arrive at a host.

        Arguments:
            rate: as tc(8) writes it, such as 8mbit.
        """
        bucket = ("rate", rate, "burst", "32k", "latency", "400ms")
        self._enclosure.do("tc", "qdisc", "replace", "dev", self._cables[name], "root", "tbf", *bucket)

    def held_back(self, name: str) -> int:
        """Return how often something has waited since the cable is slow."""
        [shaper] = json.loads(self._enclosure.do("tc", "-json", "-s", "qdisc", "show", "dev", self._cables[name]))
        waits: int = shaper["overlimits"]
        return waits

    def hosts_file(self, name: str) -> str:
        """Return the text of a host's /etc/hosts."""
        others = "".join(f"{address} {other}\n" for other, address in self.addresses.items() if other != name)
        return f"127.0.0.1 localhost\n{self.addresses[name]} {name}\n{others}"

    def _lay_cable(self, name: str) -> None:
        cable = self._cables[name]
        self._ip("netns", "add", name)
        self._ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        self._ip("link", "set", cable, "master", BRIDGE)
        self._ip("-n", name, "addr", "add", f"{self.addresses[name]}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            self._ip("-n", name, "link", "set", link, "up")
        self.join(name)

    def _ip(self, *arguments: str) -> None:
        self._enclosure.do("ip", *arguments)
