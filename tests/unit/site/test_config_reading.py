"""site.yaml: values with their defaults, and every problem at its place."""

from __future__ import annotations

import jsonschema
import pytest

from bundler.errors import ErrorId, ManifestError
from bundler.manifest.yaml_edit import read_plain
from bundler.site.config.model import KubeEdgeSettings, MirrorSettings, SiteHost
from bundler.site.config.reading import read_site
from bundler.site.config.schema import site_schema

LEAST = """\
version: 1
hosts:
- {name: master, role: cloud, address: 192.0.2.1}
"""
FULL = """\
version: 1
root: /opt/bundles
hosts:
- name: master
  role: cloud
  address: 192.0.2.1
  reached_at: [198.51.100.1, "2001:db8::1"]
- name: edge-1.plant
  role: edge
  address: 192.0.2.11
  machine: aarch64
  labels: {zone: a, example.com/line: ""}
mirror: {http: 8089, ftp: off}
registry:
  {kind: existing, host: registry.plant, port: 5000, https: false, project: kubeedge, public: false, username: joe}
docker:
  options: {log-opts: {max-size: 200m}, max-concurrent-downloads: 10}
  tools: [wget]
kubeedge: {version: 1.12.1, stream: false, meta_server: true, pause: "registry.plant:5000/kubeedge/pause:3.1"}
x-note: ours
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ManifestError) as raised:
        read_site(text.encode(), file="s")
    assert (raised.value.id, raised.value.exit_code) == (ErrorId.SITE_CONFIG_INVALID, 3)
    return list(raised.value.problems)


def test_the_least_site_has_the_faithful_defaults() -> None:
    site = read_site(LEAST.encode(), file="s")
    assert site.cloud == SiteHost("master", "cloud", "192.0.2.1")
    assert (site.root, site.mirror, site.edges) == ("/opt", MirrorSettings(8088, 21), ())
    assert site.kubeedge == KubeEdgeSettings("1.11.1", stream=True, service_bus=True)
    assert (site.registry.kind, site.registry_address, site.registry_https) == ("harbor", "master", True)


def test_everything_is_read() -> None:
    site = read_site(FULL.encode(), file="s")
    (edge,) = site.edges
    assert edge.labels == {"zone": "a", "example.com/line": ""}
    assert site.cloud.addresses == ("198.51.100.1", "2001:db8::1")
    assert site.mirror == MirrorSettings(8089, None)
    assert (site.registry_address, site.registry_https, site.registry.password_file) == (
        "registry.plant:5000",
        False,
        "",
    )
    assert site.docker.options == {"log-opts": {"max-size": "200m"}, "max-concurrent-downloads": 10}
    assert site.docker.tools == ("wget",)
    assert site.kubeedge.pause == "registry.plant:5000/kubeedge/pause:3.1"


def test_the_mirror_s_own_registry_has_its_port_and_no_tls() -> None:
    site = read_site((LEAST + "registry: {kind: mirror}\n").encode(), file="s")
    assert (site.registry_address, site.registry_https) == ("master:8088", False)


@pytest.mark.parametrize("text", [LEAST, FULL])
def test_the_schema_takes_what_is_read(text: str) -> None:
    jsonschema.validate(read_plain(text.encode()), site_schema())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "s:1:1: the file is empty; `bundler site init` writes one to begin with"),
        ("version: 2\nhosts: [{name: m, role: cloud, address: 192.0.2.1}]\n", "want a number from 1 to 1, got 2"),
        ("hosts: [{name: m, role: cloud, address: 192.0.2.1}]\n", "the site lacks the key 'version'"),
        ("version: 1\n", "the site lacks the key 'hosts'"),
        (LEAST + "regstry: {}\n", "s:4:1: unknown key 'regstry' in the site; did you mean 'registry'?"),
        (LEAST + "- {name: b, role: cloud, address: 192.0.2.2}\n", "exactly one host with role: cloud, got master, b"),
        (LEAST + "- {name: master, role: edge, address: 192.0.2.2}\n", "a host 'master' stands on line 3 already"),
        (LEAST + "- {name: Edge_1, role: edge, address: 192.0.2.2}\n", "'Edge_1': want lower-case letters"),
        (LEAST + "- {name: e, role: edge, address: here}\n", "s:4:34: 'address': 'here' is no IP address"),
        (LEAST + "- {name: e, role: egde, address: 192.0.2.2}\n", "unknown value 'egde'; did you mean 'edge'?"),
        (LEAST + "- {name: e, role: edge, address: 192.0.2.2, labels: {a b: c}}\n", "cannot be the name of a label"),
        (
            LEAST + "- {name: e, role: edge, address: 192.0.2.2}\n- {name: f, role: edge, address: 192.0.2.2}\n",
            "'f' and 'e' cannot both have 192.0.2.2",
        ),
        (LEAST + "kubeedge: {version: v1.11.1}\n", "'v1.11.1': want X.Y.Z, without a v"),
        (LEAST + "registry: {port: 80000}\n", "want a number from 1 to 65535, got 80000"),
        (LEAST + "registry: {host: 'http://x'}\n", "a host name or an IP address, without scheme and port"),
        (LEAST + "registry: {kind: existing}\n", "a registry of the kind 'existing' wants its 'host'"),
        (LEAST + "registry: {certificate: /c}\n", "certificate and private_key stand together"),
        (LEAST + "registry: {certificate: c, private_key: k}\n", "'c' is a relative path"),
        (LEAST + "registry: {password: secret}\n", "unknown key 'password' in the registry's settings"),
        (LEAST + "docker: {options: [a]}\n", "want a mapping of keys of daemon.json"),
        (LEAST + "mirror: 7\n", "want the mirror's settings as a mapping"),
    ],
)
def test_problems_have_their_place(text: str, problem: str) -> None:
    found = problems(text)
    assert any(problem in line for line in found), found
