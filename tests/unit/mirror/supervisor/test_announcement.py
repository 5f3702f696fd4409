"""What the mirror says when it has begun, as text to be looked at; and which addresses are public."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirror.settings import ListenAddress, Settings, TlsFiles
from mirror.supervisor.announcement import announcement
from mirror.supervisor.local_addresses import local_addresses, public_addresses

SITE = "demo 2025.03, bundle 0123456789ab at /: 3 files, 12 B, sizes checked"


def test_both_protocols() -> None:
    assert announcement(Settings(Path("/opt")), SITE, host="master", ports={"http": 8088, "ftp": 21}, pid=42) == (
        f"{SITE}\n"
        "\n"
        "HTTP  http://master:8088/  (page, files, http://master:8088/-/health)\n"
        "FTP   ftp://master/  (passive ports 21100-21299)\n"
        "\n"
        "On a client:\n"
        "  curl http://master:8088/-/client/\n"
        "\n"
        "Reload after unpacking or activating a bundle: kill -HUP 42; stop: kill 42"
    )


def test_tls_and_an_ipv6_address() -> None:
    settings = Settings(Path("/opt"), tls=TlsFiles(Path("c"), Path("k")), passive_ports=(3000, 3009))
    text = announcement(settings, SITE, host="2001:db8::1", ports={"http": 443, "ftp": 2121}, pid=1)
    assert "HTTP  https://[2001:db8::1]/  (" in text
    assert "FTP   ftp://[2001:db8::1]:2121/  (passive ports 3000-3009, TLS on demand)" in text


@pytest.mark.parametrize(("ports", "absent"), [({"ftp": 21}, "HTTP"), ({"http": 8088}, "FTP")])
def test_what_is_off_is_not_announced(ports: dict[str, int], absent: str) -> None:
    text = announcement(Settings(Path("/opt")), SITE, host="master", ports=ports, pid=1)
    assert absent not in text
    assert "/v2/" not in text
    assert ("curl" in text) is ("http" in ports)


def test_the_registry_s_own_port_is_announced() -> None:
    text = announcement(Settings(Path("/opt")), SITE, host="master", ports={"http": 8088, "registry": 5000}, pid=1)
    assert "/v2/  http://master:5000/v2/  (images only, http://master:5000/-/health)" in text


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
