"""What an engine's settings let it do; they are as Docker 20.10 and 28 tell them."""

from __future__ import annotations

from typing import Any

import pytest

from bundler.errors import ErrorId, SiteError
from bundler.push.engine_trust import WantedTrust, is_insecure, require_trust

SETTINGS = {
    "AllowNondistributableArtifactsCIDRs": [],
    "InsecureRegistryCIDRs": ["198.51.100.0/24", "::1/128", "127.0.0.0/8"],
    "IndexConfigs": {
        "docker.io": {"Name": "docker.io", "Mirrors": [], "Secure": True, "Official": True},
        "master:80": {"Name": "master:80", "Mirrors": [], "Secure": False, "Official": False},
        "198.51.100.9:443": {"Name": "198.51.100.9:443", "Mirrors": [], "Secure": True, "Official": False},
    },
}


@pytest.mark.parametrize(
    ("host", "addresses", "insecure"),
    [
        ("master:80", (), True),
        ("master:443", (), False),
        ("master", (), False),
        ("master:443", ("203.0.113.1", "198.51.100.1"), True),
        ("localhost:5000", ("::1",), True),
        ("198.51.100.9:443", ("198.51.100.9",), False),
        ("docker.io", (), False),
        ("fe80::1%eth0", ("fe80::1%eth0",), False),
    ],
)
def test_which_registries_are_insecure(host: str, addresses: tuple[str, ...], insecure: bool) -> None:
    assert is_insecure(SETTINGS, host, addresses) is insecure


@pytest.mark.parametrize(
    "settings",
    [
        None,
        [],
        {},
        {"IndexConfigs": [], "InsecureRegistryCIDRs": {}},
        {"IndexConfigs": {"master:80": 1}, "InsecureRegistryCIDRs": [None, "x", {}]},
    ],
)
def test_settings_that_are_not_told_mean_verified_tls(settings: Any) -> None:
    assert not is_insecure(settings, "master:80", ("198.51.100.1", "no address"))


@pytest.mark.parametrize(
    ("wanted", "insecure", "obstacle"),
    [
        (
            WantedTrust("master:80", "--plain-http"),
            False,
            "by verified TLS alone, whatever --plain-http says",
        ),
        (WantedTrust("master:443", "--insecure"), False, "whatever --insecure says"),
        (WantedTrust("master:443", own_authority=True), False, ""),
        (WantedTrust("[::1]:5000"), True, "IPv6"),
        (WantedTrust("master:443"), False, ""),
        (WantedTrust("master:80", "--plain-http"), True, ""),
        (WantedTrust("master:443", own_authority=True), True, ""),
    ],
)
def test_what_stands_in_the_way(wanted: WantedTrust, insecure: bool, obstacle: str) -> None:
    found = wanted.obstacle(insecure=insecure)
    assert obstacle in found
    assert bool(found) is bool(obstacle)


def test_a_push_that_could_only_fail_is_refused_with_what_to_write_where() -> None:
    with pytest.raises(SiteError) as caught:
        require_trust(WantedTrust("master:80", "--plain-http"), "unix:///run/docker.sock", insecure=False)
    assert caught.value.id == ErrorId.ENGINE_WANTS_TLS
    assert '"master:80" to "insecure-registries"' in caught.value.remedy
    require_trust(WantedTrust("master:443", own_authority=True), "unix:///run/docker.sock", insecure=False)


def test_what_an_engine_says_against_a_certificate_decides_about_an_authority() -> None:
    wanted, said = WantedTrust("master:443", own_authority=True), "x509: certificate signed by unknown authority"
    assert said in wanted.obstacle(insecure=False, distrust=said)
    with pytest.raises(SiteError, match="--ca-file") as caught:
        require_trust(wanted, "unix:///run/docker.sock", insecure=False, distrust=said)
    assert "/etc/docker/certs.d/master:443/ca.crt" in caught.value.remedy
    assert "--via registry" in caught.value.remedy
