"""What `site init` writes can be read as it is, whatever host it is written on."""

from __future__ import annotations

import pytest

from bundler.host.interface import CommandResult
from bundler.site.config.model import SiteConfig, SiteHost
from bundler.site.config.reading import read_site
from bundler.site.config.template import PLACEHOLDER_ADDRESS, node_name, seen_on, site_template
from tests.fakes.host import MemoryHost

ADDRESSES = ("ip", "-o", "addr", "show", "scope", "global")
ENGINE = ("docker", "version", "--format", "{{.Server.Version}}")
PRINTED = """\
2: eth0    inet6 2001:db8::5/64 scope global \\       valid_lft forever preferred_lft forever
2: eth0    inet 198.51.100.1/24 brd 198.51.100.255 scope global eth0\\       valid_lft forever
3: docker0    inet 172.17.0.1/16 scope global docker0\\       valid_lft forever preferred_lft forever
4: cni0    inet 10.244.0.1/24 scope global cni0\\       valid_lft forever preferred_lft forever
5: eth1    inet 203.0.113.7/24 scope global eth1\\       valid_lft forever preferred_lft forever
"""


def written(host: MemoryHost) -> tuple[SiteConfig, str]:
    text = site_template(seen_on(host))
    return read_site(text.encode(), file="site.yaml"), text


def answering(host: MemoryHost, command: tuple[str, ...], printed: str, code: int = 0) -> MemoryHost:
    host.answers[command] = lambda _: CommandResult(code, printed, "")
    return host


def test_what_the_host_shows_stands_in_it() -> None:
    host = MemoryHost({"/etc/kubernetes/admin.conf": b""})
    answering(answering(host, ADDRESSES, PRINTED), ENGINE, "20.10.24\n")
    site, text = written(host)
    assert site.cloud == SiteHost("master", "cloud", "198.51.100.1", machine="x86_64")
    assert "# it has 203.0.113.7, 2001:db8::5 as well" in text
    assert site.kubeedge.kubeconfig == "/etc/kubernetes/admin.conf"
    assert "Docker 20.10.24 answers" in text
    assert host.files == {"/etc/kubernetes/admin.conf": b""}


def test_what_it_says_beside_that_is_what_holds_anyway() -> None:
    site, text = written(MemoryHost())
    assert site == SiteConfig((SiteHost("master", "cloud", PLACEHOLDER_ADDRESS, machine="x86_64"),))
    assert "no address was found here" in text
    assert "there is none on this host yet" in text


@pytest.mark.parametrize(
    "name",
    [
        *("", "localhost.localdomain", "Edge_One", "123", "1e3", "true", "null", "~", "y", "0x10", "-", "...", "a..b"),
        *(
            "host.plant.example.org",
            "x" * 300,
            f"{'y' * 70}.{'z' * 70}",
            "caf\u00e9",
            'a"b',
            "a: b",
            "#",
            "{x}",
            "a\nb",
        ),
    ],
)
@pytest.mark.parametrize("machine", ["x86_64", "armv7l", "riscv64", ""])
def test_it_is_valid_on_an_odd_host(name: str, machine: str) -> None:
    host = MemoryHost(host_name=name, machine_name=machine)
    answering(
        host, ADDRESSES, "3: docker0 inet 172.17.0.1/16\n1: x inet not-one/8\n2: eth0 inet6 2001:db8::1/64\nodd\n"
    )
    answering(host, ENGINE, "Cannot connect\n# to: {the} engine", 1)
    site, _ = written(host)
    assert site.cloud.address == "2001:db8::1"
    assert site.cloud.machine == (machine if machine in ("x86_64", "armv7l") else "")


def test_a_name_is_changed_no_more_than_it_has_to_be() -> None:
    assert node_name("Edge_One.Plant") == "edge-one.plant"
    assert node_name("edge1") == "edge1"
    assert node_name("localhost") == node_name("___") == "master"
