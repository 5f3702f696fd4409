"""An RPM repository in memory, for tests of its metadata: made of records whose checksums are right."""

from __future__ import annotations

import gzip
import hashlib
from typing import TYPE_CHECKING

from bundler.kinds.base import Sources
from tests.fakes.downloader import MappedDownloader
from tests.fakes.registry import MemoryRegistry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.store import MemoryStore

MANIFEST_DIRECTORY = "/home/op/m"


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


def sources(files: Mapping[str, bytes], store: MemoryStore) -> tuple[Sources, MappedDownloader]:
    downloader = MappedDownloader(files)
    return Sources(downloader, MemoryRegistry(), store, MANIFEST_DIRECTORY), downloader
