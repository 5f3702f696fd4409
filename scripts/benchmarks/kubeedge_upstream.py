"""An upstream for manifests/kubeedge-1.11.1.yaml itself: every file, package and image that it names, of a likely size.

    python -m scripts.benchmarks.kubeedge_upstream MANIFEST DIRECTORY SCALE

None of it is the real thing: bytes that do not compress, under the names that the manifest asks for. Sizes are taken
from experience with such releases, not from the live servers; SCALE makes all of them smaller.
"""

from __future__ import annotations

import hashlib
import io
import random
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import rpm_rs

from bundler.kinds import KINDS
from bundler.kinds.files.entry import FileEntry
from bundler.kinds.images.entry import ImageEntry
from bundler.kinds.rpms.entry import RpmEntry
from bundler.manifest.reader import load_manifest
from scripts.benchmarks.kubeedge import FILES, LAYOUTS
from scripts.benchmarks.measure import MIB
from scripts.demo_upstream.rpms import PUBLIC_KEY, SECRET_KEY
from scripts.demo_upstream.tree import CHANGED_S
from tests.integration.images import make_image

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bundler.kinds.files.entry import Download

# the first that is found in a name counts; MiB, of an image for each of its platforms
FILE_SIZES = {"harbor-offline": 640, "/kubeedge-v": 65, "keadm": 25, "archive/refs": 20, "docker-compose": 12}
IMAGE_SIZES = {
    "kube-apiserver": 31, "kube-controller": 29, "kube-scheduler": 15, "kube-proxy": 35, "etcd": 97, "coredns": 13,
    "pause": 0.3, "flannel": 21, "metrics-server": 26, "installation": 70, "mosquitto": 5, "kubeedge/": 20,
}  # fmt: skip
RPM_SIZES = {"docker-ce-cli": 29, "docker-ce-rootless": 5, "docker-ce": 21, "containerd": 34, "kube": 10, "cni": 9}
SMALL = 0.01
PIECE_BYTES = 16 * MIB
# what a CentOS 7 of which nothing is assumed wants beside the packages that are named; and what nobody asks for
BASE_PACKAGES, BASE_MIB, OTHER_PACKAGES = 220, 0.7, 800
# a package specification with a version: NAME-VERSION, which may end in a glob
_VERSIONED = re.compile(r"(?P<name>.+?)-(?P<version>\d[\d.]*)(?P<glob>\*?)")
# how names begin -> the repository that has them; all others are in the first
_OWN_REPOSITORY = {
    "docker-ce": "docker-ce", "containerd": "docker-ce", "kube": "kubernetes", "cri": "kubernetes",
    "mosquitto": "epel", "epel": "epel",
}  # fmt: skip


def size_bytes(name: str, sizes: Mapping[str, float], scale: float) -> int:
    """Return how large something of this name is."""
    return max(64, int(next((size for part, size in sizes.items() if part in name), SMALL) * MIB * scale))


def fill(manifest: Path, directory: Path, scale: float) -> None:
    """Make `files/HOST/PATH` for a web server, and an OCI layout `layouts` whose images have their full names."""
    entries = load_manifest(manifest, tuple(KINDS.values()), {}).entries
    for file in (entry for entry in entries["files"] if isinstance(entry, FileEntry)):
        for download in file.downloads:
            _add_download(directory / FILES, download, scale)
    for yum in (entry for entry in entries["rpms"] if isinstance(entry, RpmEntry)):
        _add_repositories(directory / FILES, yum, scale)
    for image in (entry for entry in entries["images"] if isinstance(entry, ImageEntry)):
        platforms = [str(platform) for platform in image.platforms]
        # one layer for all platforms, as large as all of them together
        filler = size_bytes(str(image.reference), IMAGE_SIZES, scale) * len(platforms)
        make_image(directory / LAYOUTS, str(image.reference), platforms=platforms, filler_bytes=filler)


def _place(files: Path, url: str) -> Path:
    parts = urlsplit(url)
    path = files / str(parts.hostname) / unquote(parts.path).lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _random(name: str, size: int) -> bytes:
    source = random.Random(name)  # noqa: S311 - the same bytes on every run, no secret
    # of more than 256 MiB at once Python makes none
    return b"".join(source.randbytes(min(PIECE_BYTES, size - start)) for start in range(0, size, PIECE_BYTES))


def _add_download(files: Path, download: Download, scale: float) -> None:
    (url,) = download.urls
    content = _random(url, size_bytes(url, FILE_SIZES, scale))
    if members := [take.member for take in download.takes if take.member]:
        content = _archive(members, content)
    _place(files, url).write_bytes(content)
    if download.checksum_url.endswith(".sha256"):
        line = f"{hashlib.sha256(content).hexdigest()}  {url.rpartition('/')[2]}\n"
        _place(files, download.checksum_url).write_text(line)
    elif download.checksum_url:
        # as KubeEdge publishes it
        _place(files, download.checksum_url).write_text(f"{hashlib.sha512(content).hexdigest()}\n")


def _archive(members: Sequence[str], content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name in members:
            member = tarfile.TarInfo(name)
            member.size, member.mtime, member.mode = len(content), CHANGED_S, 0o755
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _add_repositories(files: Path, entry: RpmEntry, scale: float) -> None:
    """Put each named package where it would be, and what all of them want into the first repository."""
    places = {repo.id: _place(files, f"{repo.baseurls[0]}repodata").parent for repo in entry.repos}
    first = places[entry.repos[0].id]
    base = [f"base-package-{number:03}" for number in range(BASE_PACKAGES)]
    _write_packages(first, ((name, "1.0", ()) for name in base), BASE_MIB * scale)
    _write_packages(first, ((f"other-{number:04}", "1.0", ()) for number in range(OTHER_PACKAGES)), 0)
    for spec in entry.packages:
        versioned = _VERSIONED.fullmatch(spec.text)
        name = versioned["name"] if versioned else spec.text
        version = f"{versioned['version']}{'24' if versioned['glob'] else ''}" if versioned else "1.0"
        owner = next((repo for part, repo in _OWN_REPOSITORY.items() if name.startswith(part)), entry.repos[0].id)
        wants = base if name in ("docker-ce", "kubelet") else base[:20]
        _write_packages(places[owner], [(name, version, wants)], size_bytes(name, RPM_SIZES, scale) / MIB)
    for repo in entry.repos:
        for key in repo.gpgkeys:
            _place(files, key).write_bytes(PUBLIC_KEY.read_bytes())
        subprocess.run(["createrepo_c", "--quiet", "--no-database", str(places[repo.id])], check=True)


def _write_packages(directory: Path, packages: Iterable[tuple[str, str, Sequence[str]]], mib: float) -> None:
    signer = rpm_rs.Signer(SECRET_KEY.read_bytes())
    for name, version, requires in packages:
        builder = rpm_rs.PackageBuilder(name, version, "MIT", "x86_64", f"Stands in for {name}")
        builder.using_config(
            rpm_rs.BuildConfig(
                format=rpm_rs.RpmFormat.V4, compression=rpm_rs.CompressionType.NONE, source_date=CHANGED_S
            )
        )
        builder.release("1")
        builder.build_host("build.example.org")
        for wanted in requires:
            builder.requires(wanted)
        content = _random(name, int(mib * MIB))
        builder.with_file_contents(content, rpm_rs.FileOptions.new(f"/usr/share/{name}/content"))
        package = builder.build()
        package.sign(signer, timestamp=CHANGED_S)
        (directory / f"{name}-{version}-1.x86_64.rpm").write_bytes(bytes(package.to_bytes()))


if __name__ == "__main__":
    fill(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
