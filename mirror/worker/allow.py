"""Which addresses may connect (`--allow`). Pure."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mirror.settings import Network


def is_allowed(address: str, networks: Sequence[Network]) -> bool:
    """Tell whether a peer may connect: everybody when no network is named; loopback, where health is asked, always.

    Arguments:
        address: as the kernel says it; an IPv4 address mapped into IPv6 counts as IPv4, a zone (`%eth0`) is ignored.
    """
    if not networks:
        return True
    try:
        peer = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    peer = getattr(peer, "ipv4_mapped", None) or peer
    return peer.is_loopback or any(peer in network for network in networks)


def plain_address(address: str) -> str:
    """Return an address as people write it: an IPv4 address mapped into IPv6 as IPv4."""
    return address.removeprefix("::ffff:") if address.startswith("::ffff:") and "." in address else address
