"""Unpacked bundles for the tests of the mirror: real directories, made quickly."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bundler.model.bundle import BundleIndex, IndexedFile, encode_index, sums_text
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.platform import Platform
from mirror.tree.opening import open_checked
from mirror.tree.roots import open_root
from mirror.tree.served import Directory, File
from mirror.tree.site_loading import load_site, pack_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bundler.archive.bundle_root import BundleRoot
    from bundler.model.progress import Task
    from mirror.tree.served_bundle import Fault
    from mirror.tree.shares import Share
    from mirror.tree.site import Site

CONTENTS: Mapping[str, bytes] = {
    "kubeedge/keadm-amd64": b"\x7fELF" + bytes(range(256)),
    "kubeedge/crds/device.yaml": b"kind: CustomResourceDefinition\n",
    "yum/repodata/repomd.xml": b"<repomd/>\n",
    "empty": b"",
}
# a date that no test makes by itself
WRITTEN_S = 1_600_000_000


def write_bundle(directory: Path, contents: Mapping[str, bytes] = CONTENTS, *, name: str = "demo") -> Path:
    """Write a bundle's tree with SHA256SUMS and bundle.json, and return its directory."""
    files = tuple(
        IndexedFile(BundlePath(path), Blob.of(data), 0o644, "files") for path, data in sorted(contents.items())
    )
    meaning = Digest.sha256(b"meaning")
    index = encode_index(BundleIndex(name, "2025.03", meaning, meaning, (Platform("linux", "amd64"),), files))
    for path, data in {**contents, "SHA256SUMS": sums_text(files, index), "bundle.json": index}.items():
        place = directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        os.utime(place, (WRITTEN_S, WRITTEN_S))
    return directory


@contextmanager
def opened(directory: Path) -> Iterator[BundleRoot]:
    """Open a root for the length of a block."""
    root = open_root(directory)
    try:
        yield root
    finally:
        os.close(root.descriptor)


@contextmanager
def packed(directory: Path) -> Iterator[int]:
    """Give the descriptor of what another process would have read below a root, packed."""
    with opened(directory) as root:
        descriptor = pack_site(root)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def site_of(root: BundleRoot, *shares: Share, verify: Task | None = None) -> Site:
    """Load what lies below a root."""
    return load_site(root, shares, verify=verify)


def file_at(site: Site, path: str) -> File:
    """Return what must be a file."""
    found = site.find(path)
    assert isinstance(found, File), f"{path!r} is {found}"
    return found


def directory_at(site: Site, path: str) -> Directory:
    """Return what must be a directory."""
    found = site.find(path)
    assert isinstance(found, Directory), f"{path!r} is {found}"
    return found


def content_of(file: File) -> bytes:
    """Return what a file holds that must still be the checked one."""
    with os.fdopen(open_checked(file), "rb") as stream:
        return stream.read()


def names_in(site: Site, path: str) -> list[str]:
    """Return what a directory shows, directories with a slash at the end."""
    return [entry.name if entry.file else f"{entry.name}/" for entry in directory_at(site, path).entries]


def all_files(site: Site, path: str = "") -> dict[str, File]:
    """Return every file that can be reached by listing directories, by its URL's path."""
    reached: dict[str, File] = {}
    below = f"{path}/" if path else ""
    for entry in directory_at(site, path).entries:
        if entry.file is None:
            reached |= all_files(site, below + entry.name)
        else:
            assert file_at(site, below + entry.name).etag == entry.file.etag
            reached[below + entry.name] = entry.file
    return reached


def shown(faults: Sequence[Fault]) -> list[str]:
    """Return faults as text."""
    return [f"{fault.what} {fault.path}" for fault in faults]
