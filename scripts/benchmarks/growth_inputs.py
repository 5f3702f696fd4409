"""What grows: manifests of small local files and of images, locks of packages. A program of its own."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from bundler.model.artifact import HeldTo
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.lock import Lock, LockedEntry, encode_lock
from bundler.model.platform import Platform
from bundler.model.rpm.artifact import RpmArtifact
from bundler.model.rpm.nevra import Nevra

PER_DIRECTORY = 100
# one in so many files is another one in the second release, and so is the beginning of the large file
PART_CHANGED = 10
STAMP_BYTES, LARGE_BYTES = 4096, 16 * 1024 * 1024
BUILT_S = 1_600_000_000
LINUX = Platform("linux", "amd64")


def make_files(directory: Path, count: int) -> None:
    """Write two manifests of so many small files and a large one, each held to its digest; see `PART_CHANGED`."""
    large = hashlib.shake_256(b"%d" % count).digest(LARGE_BYTES)
    for name, release in (("growth", 1), ("next", 2)):
        with (directory / f"{name}.yaml").open("w", encoding="utf-8") as text:
            text.write(f"version: 1\nname: growth\nrelease: '{release}'\nfiles:\n")
            for number in range(count):
                changed = release > 1 and number % PART_CHANGED == 0
                content = b"file %d, release %d\n" % (number, 2 if changed else 1)
                path = f"{number // PER_DIRECTORY:04}/{number}.txt"
                text.write(_entry(directory, path, f"source-{2 if changed else 1}", content))
            text.write(_entry(directory, "large.bin", f"source-{release}", bytes([release]) * STAMP_BYTES + large))


def _entry(directory: Path, path: str, source: str, content: bytes) -> str:
    file = directory / source / path
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return f"  - path: files/{path}\n    url: {source}/{path}\n    sha256: {hashlib.sha256(content).hexdigest()}\n"


def make_images(directory: Path, count: int, host: str) -> None:
    """Write a manifest of images of a registry that has every one."""
    names = "".join(f"  - {host}/bench/image{number}:1\n" for number in range(count))
    (directory / "growth.yaml").write_text(f"version: 1\nname: growth\nimages:\n{names}", encoding="utf-8")


def make_packages(directory: Path, count: int) -> None:
    """Write two locks of a repository, of which no package is the same."""
    for name, release in (("growth", "1"), ("other", "2")):
        artifacts = tuple(_package(number, release) for number in range(count))
        entry = LockedEntry("rpms", "yum", Digest.sha256(b""), artifacts)
        lock = Lock(Digest.sha256(b""), (LINUX,), {}, (entry,))
        (directory / f"{name}.lock.json").write_bytes(encode_lock(lock))


def _package(number: int, release: str) -> RpmArtifact:
    name = f"package-{number}"
    content = Blob.of(f"{name} {release}".encode())
    return RpmArtifact(
        directory=BundlePath("yum"),
        nevra=Nevra.parse(f"{name}-1.0-{release}.x86_64"),
        repo="base",
        urls=(f"https://mirror.example/{name}-1.0-{release}.x86_64.rpm",),
        content=content,
        checksum=content.digest,
        held_to=HeldTo("signature", "24C6A8A7F4A80EB5"),
        signed=True,
        date=BUILT_S,
        summary=f"Package number {number}",
        platform=LINUX,
    )


if __name__ == "__main__":
    side, place, number, registry = sys.argv[1:]
    if side == "files":
        make_files(Path(place), int(number))
    elif side == "images":
        make_images(Path(place), int(number), registry)
    else:
        make_packages(Path(place), int(number))
