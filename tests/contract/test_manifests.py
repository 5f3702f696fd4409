"""Every example manifest is read without a complaint, and the published schema accepts it."""

from __future__ import annotations

import re

import jsonschema
import pytest
import yaml

from bundler.kinds import KINDS
from bundler.kinds.files.entry import FileEntry
from bundler.kinds.rpms.entry import RpmEntry
from bundler.manifest.reader import load_manifest
from bundler.manifest.schema import manifest_schema
from tests.contract.checkout import ROOT

MANIFESTS = sorted(path.name for path in (ROOT / "manifests").glob("*.yaml"))
READERS = tuple(KINDS.values())


def test_the_real_one_and_the_demo_are_there() -> None:
    assert {"demo.yaml", "kubeedge-1.11.1.yaml"} <= set(MANIFESTS)


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifest_is_read_without_a_warning(name: str) -> None:
    found = load_manifest(ROOT / "manifests" / name, READERS, {})
    assert found.warnings == ()
    assert any(found.entries.values())


@pytest.mark.parametrize("name", MANIFESTS)
def test_published_schema_accepts_it(name: str) -> None:
    value = yaml.safe_load((ROOT / "manifests" / name).read_text())
    jsonschema.validate(value, dict(manifest_schema(READERS)), jsonschema.Draft202012Validator)


def test_the_real_one_holds_what_the_walk_through_names() -> None:
    """Follows the walk-through's commands and the files that keadm 1.11.1 looks for (keadm util/common.go)."""
    found = load_manifest(ROOT / "manifests" / "kubeedge-1.11.1.yaml", READERS, {})
    targets = {path for entry in found.entries["files"] for path in entry.targets()}
    archives = {f"kubeedge-v1.11.1-linux-{arch}.tar.gz" for arch in ("amd64", "arm64", "arm")}
    crds = {
        "devices/devices_v1alpha2_device.yaml",
        "devices/devices_v1alpha2_devicemodel.yaml",
        "reliablesyncs/cluster_objectsync_v1alpha1.yaml",
        "reliablesyncs/objectsync_v1alpha1.yaml",
        "router/router_v1_rule.yaml",
        "router/router_v1_ruleEndpoint.yaml",
    }
    expected = archives | {f"checksum_{name}.txt" for name in archives} | {f"crds/{name}" for name in crds}
    expected |= {"keadm", "keadm-arm64", "keadm-arm", "kubeedge-1.11.1.tar.gz"}
    expected |= {"cloudcore.service", "edgecore.service", "certgen.sh"}

    assert targets == {f"kubeedge/{name}" for name in expected} | {
        "docker-compose-Linux-x86_64",
        "harbor-offline-installer-v2.5.0.tgz",
        "kubernetes/kube-flannel.yml",
        "kubernetes/metrics-server.yaml",
    }
    [yum] = found.entries["rpms"]
    assert isinstance(yum, RpmEntry)
    assert (yum.path, yum.release, yum.arch) == ("yum", "7", "x86_64")
    assert all(repo.gpgcheck for repo in yum.repos)
    # what the walk-through and keadm itself install by name
    wishes = {wish.text for wish in yum.packages}
    assert {"docker-ce-20.10.*", "vsftpd", "epel-release", "mosquitto", "net-tools", "wget", "lrzsz", "unzip"} <= wishes
    assert {f"{name}-1.22.1" for name in ("kubelet", "kubeadm", "kubectl")} <= wishes
    assert found.archive_name == "kubernetes_kubeedge_allinone.tar.gz"


def test_the_real_one_holds_files_to_what_is_published_beside_them() -> None:
    found = load_manifest(ROOT / "manifests" / "kubeedge-1.11.1.yaml", READERS, {})
    entries = [entry for entry in found.entries["files"] if isinstance(entry, FileEntry)]
    held = {
        path: (download.urls, download.checksum_url)
        for entry in entries
        for path in map(str, entry.targets())
        for download in entry.downloads
        if download.checksum_url
    }
    assert {"kubeedge/keadm", "kubeedge/kubeedge-v1.11.1-linux-amd64.tar.gz"} <= set(held)
    (url,), checksum_url = held["docker-compose-Linux-x86_64"]
    assert checksum_url == f"{url}.sha256"


@pytest.mark.parametrize(
    ("path", "image", "variable"),
    [
        ("kubernetes/kube-flannel.yml", "quay.io/coreos/flannel", "flannel"),
        ("kubernetes/metrics-server.yaml", "registry.k8s.io/metrics-server/metrics-server", "metrics_server"),
    ],
)
def test_what_the_real_one_applies_is_of_the_version_of_its_image(path: str, image: str, variable: str) -> None:
    value = yaml.safe_load((ROOT / "manifests" / "kubeedge-1.11.1.yaml").read_text())
    assert [f"/v${{{variable}}}/" in file["url"] for file in value["files"] if file.get("path") == path] == [True]
    assert f"{image}:v${{{variable}}}" in {
        image if isinstance(image, str) else image["name"] for image in value["images"]
    }


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_pages_say_of_the_real_one_s_bundle_what_was_measured(page: str) -> None:
    [section] = re.findall(
        r"^## The KubeEdge manifest$(.*?)^## ", (ROOT / "docs" / "benchmarks.md").read_text(), re.MULTILINE | re.DOTALL
    )
    size = re.search(r"unpacked ([\d,]+ MiB) in (\d+) files", section)
    cold = re.search(r"^\| build, nothing there \| ([\d.]+) s \| ([\d.]+) s \|", section, re.MULTILINE)
    assert size is not None
    assert cold is not None
    [said] = [part for part in (ROOT / page).read_text().split("\n\n") if "#the-kubeedge-manifest" in part]
    assert set(re.findall(r"\d[\d.,]*\d(?: MiB)?", said)) == {*size.groups(), *cold.groups()}
