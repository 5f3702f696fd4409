"""Which of the addresses that are listened on the world can reach."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mirror.settings import ListenAddress

_IPV4_TABLE = Path("/proc/net/fib_trie")
_IPV6_TABLE = Path("/proc/net/if_inet6")
_IPV4_HOST = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")


def local_addresses() -> list[str]:
    """Return the addresses of this host's interfaces, as far as the kernel shows them (proc(5))."""
    found: list[str] = []
    with suppress(OSError):
        found += sorted(set(_IPV4_HOST.findall(_IPV4_TABLE.read_text())))
    with suppress(OSError):
        for line in _IPV6_TABLE.read_text().splitlines():
            found.append(str(ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))))
    return found


def public_addresses(endpoints: Iterable[ListenAddress], local: Sequence[str]) -> list[str]:
    """Return the addresses among those listened on that are reachable from the internet. Pure.

    Arguments:
        local: this host's addresses; an endpoint without a host listens on all of them.
    """
    listened: set[str] = set()
    for endpoint in endpoints:
        listened.update([endpoint.host] if endpoint.host not in ("", "::", "0.0.0.0") else local)  # noqa: S104
    public: list[str] = []
    for text in sorted(listened):
        # a host's name is resolved by whoever binds; here only addresses count
        with suppress(ValueError):
            if ipaddress.ip_address(text.partition("%")[0]).is_global:
                public.append(text)
    return public
