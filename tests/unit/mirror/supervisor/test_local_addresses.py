"""Which addresses this host has, and which of those that are listened on the internet reaches."""

from __future__ import annotations

import pytest

from mirror.settings import ListenAddress
from mirror.supervisor.local_addresses import local_addresses, public_addresses


@pytest.mark.parametrize(
    ("hosts", "public"),
    [
        ([""], ["1.1.1.1", "2606:4700::1111"]),
        (["0.0.0.0"], ["1.1.1.1", "2606:4700::1111"]),
        (["1.1.1.1", "127.0.0.1"], ["1.1.1.1"]),
        (["198.51.100.1", "fe80::1%eth0", "::1", "localhost"], []),
        (["2606:4700::1111%2"], ["2606:4700::1111%2"]),
        ([], []),
    ],
)
def test_public_addresses(hosts: list[str], public: list[str]) -> None:
    local = ["127.0.0.1", "198.51.100.1", "1.1.1.1", "::1", "2606:4700::1111", "fe80::1"]
    assert public_addresses([ListenAddress(host, 8088) for host in hosts], local) == public


def test_this_host_has_itself() -> None:
    assert "127.0.0.1" in local_addresses()
