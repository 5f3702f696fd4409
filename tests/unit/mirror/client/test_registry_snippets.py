"""What clients of the mirror's registry are told, word by word; test_registry_snippets.py puts it to real use."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from bundler.model.digest import Digest
from bundler.model.image.oci import OCI_MANIFEST
from mirror.client.reach import Reach
from mirror.client.snippets import client_snippets
from tests.unit.mirror.sites import index_of, offer_from

if TYPE_CHECKING:
    from mirror.client.reach import Snippet

PLAIN = Reach("master", 8088, False, 21)
NAMES = ("registry.k8s.io/pause:3.5", "quay.io/coreos/flannel:v0.14.0", "docker.io/library/edge:1")


def made(reach: Reach = PLAIN, names: tuple[str, ...] = NAMES) -> dict[str, Snippet]:
    contents = {f"k8simage/blobs/sha256/{number}": name.encode() for number, name in enumerate(names)}
    about: dict[str, Any] = {
        path: {
            "media_type": OCI_MANIFEST,
            "images": [name.decode()],
            "names": [name.decode()],
            "digest": str(Digest.sha256(name)),
        }
        for path, name in contents.items()
    }
    return {snippet.name: snippet for snippet in client_snippets(offer_from(index_of(contents, about)), reach)}


def test_docker_is_told_of_this_host_and_port_and_of_the_hub_s_mirror() -> None:
    snippet = made()["daemon.json"]
    assert (snippet.path, snippet.commands) == ("/etc/docker/daemon.json", False)
    assert json.loads(snippet.text) == {
        "insecure-registries": ["master:8088"],
        "registry-mirrors": ["http://master:8088"],
    }
    assert "merge" in snippet.title
    assert "合并" in snippet.title_zh


def test_docker_s_mirror_is_for_names_of_the_hub_and_for_nobody_in_particular() -> None:
    assert json.loads(made(names=NAMES[:2])["daemon.json"].text) == {"insecure-registries": ["master:8088"]}
    login = made(Reach("master", 8088, False, 21, login=True))
    assert "registry-mirrors" not in login["daemon.json"].text


def test_docker_with_tls_is_told_where_the_authority_belongs() -> None:
    found = made(Reach("master", 8443, True, None), NAMES[:2])
    assert "daemon.json" not in found
    assert "/etc/docker/certs.d/master:8443/ca.crt" in found["docker-registry.sh"].text
    assert "insecure" not in "".join(snippet.text for snippet in found.values())
    hub = made(Reach("master", 8443, True, None))["daemon.json"].text
    assert json.loads(hub) == {"registry-mirrors": ["https://master:8443"]}


def test_docker_pulls_by_the_site_s_names_and_gives_the_original_ones_back() -> None:
    lines = made()["docker-pull.sh"].text.splitlines()
    assert "docker pull master:8088/library/pause:3.5" in lines
    assert "docker tag master:8088/library/pause:3.5 registry.k8s.io/pause:3.5" in lines
    assert "docker pull master:8088/coreos/flannel:v0.14.0" in lines


def test_containerd_has_a_file_for_every_upstream() -> None:
    found = made()
    assert found["hosts-registry.k8s.io.toml"].path == "/etc/containerd/certs.d/registry.k8s.io/hosts.toml"
    assert found["hosts-registry.k8s.io.toml"].text == (
        'server = "https://registry.k8s.io"\n\n[host."http://master:8088"]\n  capabilities = ["pull", "resolve"]\n'
    )
    assert tomllib.loads(found["hosts-docker.io.toml"].text)["server"] == "https://registry-1.docker.io"
    assert {name for name in found if name.startswith("hosts-")} == {
        "hosts-docker.io.toml", "hosts-quay.io.toml", "hosts-registry.k8s.io.toml"
    }  # fmt: skip
    commands = found["containerd-registry.sh"].text
    assert 'config_path = "/etc/containerd/certs.d"' in commands
    for name, snippet in found.items():
        if name.startswith("hosts-"):
            assert f"put {snippet.path} <<'END'\n{snippet.text}END\n" in commands


def test_containerd_sends_a_login_that_the_reader_fills_in() -> None:
    value = tomllib.loads(made(Reach("master", 8088, False, None, login=True))["hosts-quay.io.toml"].text)
    assert value["host"]["http://master:8088"]["header"] == {"Authorization": ["Basic @BASE64@"]}
    assert "@BASE64@" not in "".join(snippet.text for snippet in made().values())


def test_podman_and_cri_o_ask_the_mirror_first_by_full_names() -> None:
    snippet = made()["registries.conf"]
    assert snippet.path == "/etc/containers/registries.conf.d/50-bundle.conf"
    own, *others = tomllib.loads(snippet.text)["registry"]
    assert own == {"location": "master:8088", "insecure": True}
    assert others == [
        {"prefix": host, "location": host, "mirror": [{"location": f"master:8088/{host}", "insecure": True}]}
        for host in ("docker.io", "quay.io", "registry.k8s.io")
    ]
    secure = made(Reach("master", 8443, True, None))["registries.conf"].text
    assert "insecure" not in secure
    assert 'location = "master:8443/quay.io"' in secure


def test_podman_asks_for_what_has_a_port_in_its_host_s_name_by_the_site_s() -> None:
    _, other = tomllib.loads(made(names=("demo.test:5000/demo/app:1",))["registries.conf"].text)["registry"]
    assert other["mirror"] == [{"location": "master:8088", "insecure": True}]


def test_skopeo_speaks_as_the_mirror_does() -> None:
    plain = "skopeo list-tags --tls-verify=false docker://master:8088/library/edge\n"
    assert made()["podman-registry.sh"].text.endswith(plain)
    secure = made(Reach("master", 8443, True, None))["podman-registry.sh"].text
    assert secure.endswith("skopeo list-tags docker://master:8443/library/edge\n")
    assert "/etc/containers/certs.d/master:8443/ca.crt" in secure


@pytest.mark.parametrize(
    ("reach", "authority"),
    [
        (Reach("2001:db8::1", 8088, False, None), "[2001:db8::1]:8088"),
        (Reach("master", 80, False, None), "master:80"),
        (Reach("master", 8088, False, None, registry=5000), "master:5000"),
        (Reach("master", None, False, None, registry=5000), "master:5000"),
    ],
    ids=["ipv6", "usual-port", "own-port", "registry-alone"],
)
def test_the_authority_has_brackets_and_a_port(reach: Reach, authority: str) -> None:
    found = made(reach)
    assert json.loads(found["daemon.json"].text)["insecure-registries"] == [authority]
    assert f'[host."http://{authority}"]' in found["hosts-quay.io.toml"].text
    assert f"docker://{authority}/" in found["podman-registry.sh"].text.replace("'", "")


def test_logins_have_a_placeholder_and_no_password() -> None:
    found = made(Reach("master", 8088, False, None, login=True))
    assert found["docker-pull.sh"].text.startswith("docker login --username @NAME@ master:8088\n")
    assert "podman login --username @NAME@ master:8088\n" in found["podman-registry.sh"].text


def test_without_images_or_without_a_registry_there_is_nothing() -> None:
    assert not {"daemon.json", "registries.conf"} & set(made(names=()))
    assert not {"daemon.json", "registries.conf"} & set(made(Reach("master", None, False, 21)))
