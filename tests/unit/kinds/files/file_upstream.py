"""What the tests of the kind `files` share: an upstream in memory, and entries as a manifest would give them."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from typing import TYPE_CHECKING

from bundler.kinds.base import Sources
from bundler.kinds.files.entry import FileEntry
from bundler.kinds.files.kind import FilesKind
from bundler.manifest.reader import read_manifest
from bundler.model.platform import Platform
from bundler.net.files.download import FileDownloader
from bundler.net.mirrors import Mirrors
from bundler.net.retry import Retry
from tests.fakes.downloader import MappedDownloader
from tests.fakes.registry import MemoryRegistry

if TYPE_CHECKING:
    from bundler.model.file_artifact import FileArtifact
    from tests.fakes.progress import RecordingTask
    from tests.fakes.store import MemoryStore
    from tests.fakes.transport import FakeTransport

CHECKSUM_BESIDE = "{path: k/x.tgz, url: https://h/x.tgz, checksum_url: https://h/x.txt, checksum_path: k/sum.txt}"
KIND = FilesKind()
AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
TARBALL = b"the tarball"
SHA512 = hashlib.sha512(TARBALL).hexdigest()
SHA256 = hashlib.sha256(TARBALL).hexdigest()
MEMBER_S = 1_600_000_000


def tgz(files: dict[str, bytes], mode: int = 0o644) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(data), mode, MEMBER_S
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)


def sources(files: dict[str, bytes], store: MemoryStore, *, via: str = "") -> tuple[Sources, MappedDownloader]:
    downloader = MappedDownloader(files, via)
    return Sources(downloader, MemoryRegistry(), store, "/home/op/m"), downloader


def over(transport: FakeTransport, store: MemoryStore, *rules: str) -> Sources:
    """Return sources whose downloader is the real one; each place is asked once."""
    downloader = FileDownloader(transport, Mirrors.parse(rules), Retry(1), lambda _: None)
    return Sources(downloader, MemoryRegistry(), store, "/home/op/m")


def entry(item: str) -> FileEntry:
    text = f"version: 1\nname: t\nplatforms: [linux/amd64, linux/arm64]\nfiles:\n  - {item}\n"
    [read] = read_manifest(text.encode(), file="m.yaml", kinds=[KIND]).entries["files"]
    assert isinstance(read, FileEntry)
    return read


def locked(item: str, files: dict[str, bytes], store: MemoryStore, task: RecordingTask) -> tuple[FileArtifact, ...]:
    return KIND.lock(entry(item), sources(files, store)[0], task)


def fetch_all(artifacts: tuple[FileArtifact, ...], given: Sources, task: RecordingTask) -> None:
    for fetch in KIND.fetches(artifacts):
        KIND.fetch(fetch, given, task)
