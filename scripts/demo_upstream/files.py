"""The demo's plain files, shaped like the releases of KubeEdge: tarballs with a checksum file beside each."""

from __future__ import annotations

import hashlib

from scripts.demo_upstream.elf import ARCHITECTURES, speaking_program
from scripts.demo_upstream.tree import Resource, compressed, tar, zipped

KEADM_VERSION = "1.11.1"
_RELEASES = f"/kubeedge/releases/download/v{KEADM_VERSION}"
_CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: {plural}.devices.example.org
spec:
  group: devices.example.org
  names: {{kind: {kind}, plural: {plural}}}
  scope: Namespaced
  versions: []
"""
# Not derived from anything: its SHA-256 stands in manifests/demo.yaml.
NOTES = b"""\
A demonstration of an offline bundle for KubeEdge. Nothing in it comes from the real project:
every file and every image was made on the spot by scripts/demo_upstream.
"""


def files() -> dict[str, Resource]:
    """Return URL path -> file."""
    found = {"/notes.txt": Resource(NOTES, "text/plain; charset=utf-8")}
    for arch in ARCHITECTURES:
        stem = f"keadm-v{KEADM_VERSION}-linux-{arch}"
        program = speaking_program(f"keadm {KEADM_VERSION} of the demo, linux/{arch}\n".encode(), arch)
        tarball = compressed(tar({f"{stem}/keadm/keadm": program, f"{stem}/version": KEADM_VERSION.encode() + b"\n"}))
        found[f"{_RELEASES}/{stem}.tar.gz"] = Resource(tarball, "application/gzip")
        # as KubeEdge publishes it: the SHA-512 alone, without a file name
        checksum = hashlib.sha512(tarball).hexdigest().encode() + b"\n"
        found[f"{_RELEASES}/checksum_{stem}.tar.gz.txt"] = Resource(checksum, "text/plain")
    crds = {
        f"kubeedge-{KEADM_VERSION}/build/crds/{plural}.yaml": _CRD.format(plural=plural, kind=kind).encode()
        for plural, kind in (("devices", "Device"), ("devicemodels", "DeviceModel"))
    }
    source = {f"kubeedge-{KEADM_VERSION}/README.md": b"# Sources of the demo\n", **crds}
    found[f"/kubeedge/archive/v{KEADM_VERSION}.zip"] = Resource(zipped(source), "application/zip")
    return found
