"""The text that a mirror shows when it has started."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirror.settings import Settings, TlsFiles
from mirror.supervisor.announcement import announcement

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
        "Bundles that come, go or are activated are followed without a signal.\n"
        "New certificates or users: kill -HUP 42; stop: kill 42"
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
