"""Bundles on disk for the mirror's page: a real index, files of the listed sizes with nothing in them (sparse).

Digests of content are made up, so a tree passes the check of sizes and fails `--verify`.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from bundler.model.about import decode_about
from bundler.model.bundle import INDEX_PATH, SUMS_PATH, BundleIndex, IndexedFile, encode_index, sums_text
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.platform import Platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bundler.model.json_value import Json

DATE_S = 1_660_209_120  # 2022-08-11 09:12 UTC
AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
MIB = 1024 * 1024


def listed(
    path: str, size: int, kind: str = "files", *, platforms: Sequence[Platform] = (), **about: Json
) -> IndexedFile:
    """Return an entry of an index, its digest that of its path."""
    return IndexedFile(
        BundlePath(path),
        Blob(Digest.sha256(path.encode()), size),
        0o644,
        kind,
        ("cloud", "edge"),
        tuple(platforms),
        decode_about(about),
    )


def rpm(directory: str, nevra: str, summary: str, size: int = 3 * MIB) -> IndexedFile:
    """Return a package."""
    held_to: Json = {"by": "signature", "detail": "24c6a8a7f4a80eb5"}
    return listed(
        f"{directory}/{nevra}.rpm", size, "rpms", nevra=nevra, summary=summary, repo="centos-base",
        url=f"https://vault.example/{nevra}.rpm", held_to=held_to,
    )  # fmt: skip


def image(
    name: str, *, also: Sequence[str] = (), platforms: Sequence[Platform] = (AMD64,), size: int = 40 * MIB
) -> list[IndexedFile]:
    """Return an image: its top document, and one layer of that size for each platform."""
    top = hashlib.sha256(f"index of {name}".encode()).hexdigest()
    about: dict[str, Json] = {
        "media_type": "application/vnd.oci.image.index.v1+json",
        "images": [name],
        "names": [name, *also],
        "platforms": [str(platform) for platform in platforms],
        "digest": f"sha256:{top}",
        "held_to": {"by": "first-use"},
    }
    document = Blob(Digest("sha256", top), 1024)
    path = BundlePath(f"k8simage/blobs/sha256/{top}")
    layer = "application/vnd.oci.image.layer.v1.tar+gzip"
    return [
        IndexedFile(path, document, 0o644, "images", ("cloud", "edge"), tuple(platforms), decode_about(about)),
        *(
            listed(_blob(f"{name} {each}"), size, "images", platforms=[each], media_type=layer, images=[name])
            for each in platforms
        ),
    ]


def _blob(seed: str) -> str:
    return f"k8simage/blobs/sha256/{hashlib.sha256(seed.encode()).hexdigest()}"


def make_index(files: Iterable[IndexedFile], *, name: str = "demo", release: str = "1") -> BundleIndex:
    """Return an index of files, sorted as the format wants it."""
    return BundleIndex(
        name=name,
        release=release,
        manifest=Digest.sha256(b"manifest"),
        lock=Digest.sha256(b"lock"),
        platforms=(AMD64, ARM64),
        files=tuple(sorted(files, key=lambda file: file.path.encode())),
    )


def write_tree(index: BundleIndex, directory: Path) -> Path:
    """Make the tree of an index below a directory, every date the same, and return the directory."""
    index_bytes = encode_index(index)
    contents = {str(INDEX_PATH): index_bytes, str(SUMS_PATH): sums_text(index.files, index_bytes)}
    for path in (*contents, *(str(file.path) for file in index.files)):
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(contents.get(path, b""))
    for file in index.files:
        os.truncate(directory / file.path, file.blob.size)
    for path in (*contents, *(str(file.path) for file in index.files)):
        os.utime(directory / path, (DATE_S, DATE_S))
    return directory


KUBEEDGE = "https://github.com/kubeedge/kubeedge/releases/download/v1.11.1"
_PACKAGES = (
    ("containerd.io-1.6.20-3.1.el7.x86_64", "An industry-standard container runtime"),
    ("docker-ce-20.10.24-3.el7.x86_64", "The open-source application container engine"),
    ("docker-ce-cli-20.10.24-3.el7.x86_64", "The open-source application container engine, command line"),
    ("kubeadm-1.22.1-0.x86_64", "Command-line utility for administering a Kubernetes cluster"),
    ("kubectl-1.22.1-0.x86_64", "Command-line utility for interacting with a Kubernetes cluster"),
    ("kubelet-1.22.1-0.x86_64", "Container cluster management"),
    ("libstdc++-4.8.5-44.el7.x86_64", "GNU Standard C++ Library"),
    ("mosquitto-1.6.10-1.el7.x86_64", "Open Source MQTT v3.1/v3.1.1 Broker"),
    ("net-tools-2.0-0.25.20131004git.el7.x86_64", "Basic networking tools"),
    ("vim-enhanced-7.4.629-8.el7_9.x86_64", "A version of the VIM editor which includes recent enhancements"),
    ("vsftpd-3.0.2-29.el7_9.x86_64", "Very Secure Ftp Daemon"),
    ("wget-1.14-18.el7_6.1.x86_64", "A utility for retrieving files using the HTTP or FTP protocols"),
)
_OF_YUM = ("RPM-GPG-KEY-centos-base", "local.repo", "http.repo.tmpl", "ftp.repo.tmpl")
_OF_REPODATA = ("repomd.xml", "primary.xml.gz", "filelists.xml.gz", "other.xml.gz")
_OF_LAYOUT = ("index.json", "oci-layout", "images.tsv", "load.sh", "manifest.json")
_KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler")


def kubeedge_files() -> list[IndexedFile]:
    """Return what a bundle for a KubeEdge site holds, about as large as the real one."""
    files = [rpm("yum", nevra, text, (place + 1) * MIB // 2) for place, (nevra, text) in enumerate(_PACKAGES)]
    files += [listed(f"yum/{name}", 900, "rpms") for name in _OF_YUM]
    files += [listed(f"yum/repodata/{name}", 4096, "rpms") for name in _OF_REPODATA]
    files += [listed(f"k8simage/{name}", 2048, "images") for name in _OF_LAYOUT]
    for name in _KUBERNETES:
        files += image(f"registry.k8s.io/{name}:v1.22.1", also=[f"k8s.gcr.io/{name}:v1.22.1"])
    files += image("quay.io/coreos/flannel:v0.14.0")
    files += image("docker.io/kubeedge/installation-package:v1.11.1", platforms=(AMD64, ARM64))
    files += image("docker.io/library/eclipse-mosquitto:1.6.15", platforms=(AMD64, ARM64), size=5 * MIB)
    published: Json = {"by": "published-checksum", "detail": f"{KUBEEDGE}/checksum.txt"}
    for name, size, platform in (("keadm", 62, AMD64), ("keadm-arm64", 57, ARM64)):
        url = f"{KUBEEDGE}/keadm-v1.11.1-{platform.slug}.tar.gz"
        files.append(listed(f"kubeedge/{name}", size * MIB, platforms=[platform], url=url, held_to=published))
    harbor = "harbor-offline-installer-v2.5.0.tgz"
    for path, size, url in (
        (f"{harbor}", 629 * MIB, f"https://github.com/goharbor/harbor/releases/download/v2.5.0/{harbor}"),
        ("kubeedge/cloudcore.service", 310, "https://raw.example/cloudcore.service"),
        ("kubeedge/certgen.sh", 4200, "https://raw.example/certgen.sh"),
    ):
        files.append(listed(path, size, url=url, held_to={"by": "first-use"}))
    return [*files, listed("lock.json", 80100, "bundle"), listed("manifest.yaml", 5100, "bundle")]
