"""A small bundle with everything that a bill of materials tells of: RPMs, images, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bundler.materials.bill import bill_of_bundle
from bundler.model.about import FileAbout, PackageAbout
from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.placement import Placement
from bundler.source.open_source import open_source
from tests.fakes.progress import RecordingTask
from tests.fakes.small_rpms import SmallRpm
from tests.fakes.store import MemoryStore
from tests.integration.placed_images import AMD64, ARM64, place_images
from tests.unit.archive.bundles import Sample, bundle_of, tree_of
from tests.unit.materials.databases import DEBIAN, DPKG_STATUS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bundler.materials.component import BillOfMaterials

DATE = 1_700_000_000
VSFTPD = SmallRpm("vsftpd", "3.0.2", "29.el7_9", arch="x86_64")
KEADM_URL = "https://github.com/kubeedge/kubeedge/releases/download/v1.11.1/keadm-v1.11.1-linux-amd64.tar.gz"
APP = "registry.example/demo/app:v1"
PLAIN = "docker.io/library/plain:2"
SYSTEM = {"var/lib/dpkg/status": DPKG_STATUS, "etc/os-release": DEBIAN}


def materials_placements(directory: Path, store: MemoryStore) -> list[Placement]:
    """Return an RPM, an image for two platforms, one for one, a file and a member, all in the store."""
    images = place_images(directory / "images", {APP: (AMD64, ARM64), PLAIN: (AMD64,)}, files={APP: SYSTEM})
    for data in images.blobs.values():
        store.put(data)
    signed = HeldTo("signature", "4eed7d52414636d3")
    url = f"https://repo.example/7/{VSFTPD.file_name}"
    nevra = "vsftpd-3.0.2-29.el7_9.x86_64"
    return [
        *images.placements,
        Placement(
            BundlePath(f"yum/{VSFTPD.file_name}"), store.put(VSFTPD.content()), "rpms", mtime=DATE,
            about=PackageAbout(nevra, "About vsftpd", "updates", url, signed),
        ),
        Placement(
            BundlePath("kubeedge/keadm.tar.gz"), store.put(b"keadm"), "files", mtime=DATE,
            about=FileAbout(KEADM_URL, HeldTo("published-checksum", f"{KEADM_URL}.txt")),
        ),
        Placement(
            BundlePath("kubeedge/keadm"), store.put(b"binary"), "files", mode=0o755, mtime=DATE,
            about=FileAbout(KEADM_URL, HeldTo("first-use", via="https://mirror.example/"), "keadm/keadm"),
        ),
    ]  # fmt: skip


def materials_sample(directory: Path, further: Sequence[Placement] = ()) -> Sample:
    """Return a bundle of these about to be written."""
    store = MemoryStore(directory / "store")
    return Sample(bundle_of([*materials_placements(directory, store), *further]), store)


def write_tree(sample: Sample, root: Path, blobs: MemoryStore) -> Path:
    """Write it as an unpacked tree."""
    for path, data in tree_of(sample.bundle, blobs.blobs).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def bill_of(source: Path) -> BillOfMaterials:
    """Return the bill of an archive or a tree."""
    with open_source(str(source)) as reader:
        return bill_of_bundle(reader, RecordingTask())
