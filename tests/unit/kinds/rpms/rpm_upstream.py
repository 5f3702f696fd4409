"""An RPM repository in memory, for tests of its metadata: made of records whose checksums are right."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING

from bundler.kinds.base import Sources
from bundler.kinds.rpms.metadata import RepoMetadata, open_record
from bundler.model.rpm.repo import RepoSpec
from tests.fakes.downloader import MappedDownloader
from tests.fakes.registry import MemoryRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.store import MemoryStore

MANIFEST_DIRECTORY = "/home/op/m"
A = "https://a.example/7"
PRIMARY, FILELISTS = b"<metadata packages='0'/>", b"<filelists packages='0'/>"
RECORDS = {
    "primary": PRIMARY,
    "filelists": FILELISTS,
    "other": b"<otherdata/>",
    "modules": b"---\n",
    "group": b"<comps/>",
    "updateinfo": b"<updates/>",
}
SPEC = RepoSpec("base", baseurls=(A,))
SIGNED = RepoSpec("base", baseurls=(A,), repo_gpgcheck=True)
REPOMD, ASC = f"{A}/repodata/repomd.xml", f"{A}/repodata/repomd.xml.asc"


def repository(
    root: str, records: Mapping[str, bytes], *, algorithm: str = "sha256", sizes: bool = True, base: str = ""
) -> dict[str, bytes]:
    """Return url -> content of a repository below a root; records are given plain and served as gzip.

    Arguments:
        algorithm: of the checksums. sizes: whether repomd.xml tells them. base: the xml:base of every record.
    """
    files, listed = {}, []
    for kind, plain in records.items():
        data = gzip.compress(plain, mtime=0)
        files[f"{base or root}/repodata/{kind}.xml.gz"] = data
        listed.append(
            f'<data type="{kind}"><checksum type="{algorithm}">{hashlib.new(algorithm, data).hexdigest()}</checksum>'
            f'<location {f"xml:base={base!r} " if base else ""}href="repodata/{kind}.xml.gz"/>'
            f"{f'<size>{len(data)}</size>' if sizes else ''}</data>"
        )
    files[f"{root}/repodata/repomd.xml"] = f"<repomd>{''.join(listed)}</repomd>".encode()
    return files


def sources(
    files: Mapping[str, bytes], store: MemoryStore, *, tags: Mapping[str, str] | None = None
) -> tuple[Sources, MappedDownloader]:
    """Return sources over an upstream; `tags` gives urls the ETags by which they are found unchanged."""
    downloader = MappedDownloader(files, tags=dict(tags or {}))
    return Sources(downloader, MemoryRegistry(), store, MANIFEST_DIRECTORY), downloader


def content(metadata: RepoMetadata, kind: str, store: MemoryStore) -> bytes | None:
    """Return a record of the store, plain, or None where the repository has none."""
    file = open_record(metadata, kind, store)
    if file is None:
        return None
    with file:
        return file.read()
