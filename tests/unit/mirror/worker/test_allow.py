from __future__ import annotations

from ipaddress import ip_network

import pytest

from mirror.worker.allow import is_allowed, plain_address

NETWORKS = [ip_network("10.1.0.0/16"), ip_network("fd00::/8"), ip_network("fe80::/10")]


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "fe80::1%eth0", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"],
)
def test_named_networks_and_loopback_may_connect(address: str) -> None:
    assert is_allowed(address, NETWORKS)


@pytest.mark.parametrize(
    "address", ["10.2.0.1", "::ffff:10.2.0.1", "2001:db8::1", "", "nonsense", "10.1.2", "::10.1.2.3", "10.1.2.3.4"]
)
def test_everybody_else_may_not(address: str) -> None:
    assert not is_allowed(address, NETWORKS)
    assert is_allowed(address, ())


@pytest.mark.parametrize(
    ("address", "plain"),
    [("::ffff:10.1.2.3", "10.1.2.3"), ("10.1.2.3", "10.1.2.3"), ("fe80::1%eth0", "fe80::1%eth0"), ("::1", "::1"),
     ("::ffff:0:1", "::ffff:0:1")],
)  # fmt: skip
def test_people_see_ipv4_as_ipv4(address: str, plain: str) -> None:
    assert plain_address(address) == plain
