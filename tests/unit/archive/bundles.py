"""Small bundles for the tests of bundler.archive, and tar files that no builder of ours would make."""

from __future__ import annotations

import io
import random
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bundler.archive.archive_output import one_file
from bundler.archive.bundle_files import bundle_files
from bundler.archive.gzip_block import MEMBER_BYTES, gzip_member
from bundler.archive.tar_header import encode_header
from bundler.archive.tar_stream import NO_CHECKSUM_CACHE, ChecksumCache
from bundler.archive.writer import WrittenArchive, write_archive
from bundler.compress import DEFLATER
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.placement import Placement
from bundler.model.platform import Platform
from tests.fakes.progress import RecordingTask
from tests.fakes.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bundler.archive.archive_output import OpenOutput
    from bundler.archive.bundle_files import BundleFiles

CONTENTS: Mapping[str, bytes] = {
    "kubeedge/keadm-amd64": b"\x7fELF" + bytes(range(256)) * 40,
    "kubeedge/crds/devices_v1alpha2_device.yaml": b"kind: CustomResourceDefinition\n" * 30,
    "kubeedge/random.tar.gz": random.Random(7).randbytes(70_000),
    "harbor/empty": b"",
    "k8simage/oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
    "yum/repodata/repomd.xml": b"<repomd/>\n",
}


@dataclass(frozen=True)
class Sample:
    """A bundle about to be written, and the store that holds its blobs."""

    bundle: BundleFiles
    store: MemoryStore

    def write(
        self,
        out: Path,
        *,
        threads: int | None = None,
        checksums: ChecksumCache = NO_CHECKSUM_CACHE,
        source_date_epoch: int | None = None,
        open_output: OpenOutput = one_file,
    ) -> WrittenArchive:
        """Write its archive."""
        task = RecordingTask()
        written = write_archive(
            self.bundle.files,
            store_path=self.store.path,
            out=out,
            task=task,
            threads=threads,
            checksums=checksums,
            source_date_epoch=source_date_epoch,
            open_output=open_output,
        )
        assert task.advanced == sum(file.blob.size for file in self.bundle.files)
        return written


def sample(directory: Path, contents: Mapping[str, bytes] = CONTENTS, *, name: str = "demo") -> Sample:
    """Return a bundle of these files; the executable is the one named keadm."""
    store = MemoryStore(directory / "store")
    placements = [
        Placement(
            BundlePath(path),
            store.put(data),
            "files",
            mode=0o755 if "keadm" in path else 0o644,
            mtime=1_600_000_000 + number if data else None,
        )
        for number, (path, data) in enumerate(contents.items())
    ]
    return Sample(bundle_of(placements, name=name), store)


def bundle_of(placements: Sequence[Placement], *, name: str = "demo") -> BundleFiles:
    """Return the complete list of files for these placements."""
    return bundle_files(
        placements,
        name=name,
        release="2025.03",
        platforms=[Platform("linux", "amd64")],
        manifest=Digest.sha256(b"meaning"),
        manifest_text=b"version: 1\nname: demo\n",
        lock_text=(b'{"format": 1}\n',),
    )


def tree_of(bundle: BundleFiles, contents: Mapping[Digest, bytes]) -> dict[str, bytes]:
    """Return path -> bytes of all files."""
    found: dict[str, bytes] = {}
    for file in bundle.files:
        assert isinstance(file.content, Blob | bytes)
        found[file.path] = contents[file.content.digest] if isinstance(file.content, Blob) else file.content
    return found


def member(path: str, data: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    """Return a tar member; fields are those of TarInfo (`type`, `linkname`, `size` for a lie)."""
    info = tarfile.TarInfo(path)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def tar_bytes(
    members: Sequence[tuple[tarfile.TarInfo, bytes]], *, style: Literal[0, 1, 2] = tarfile.GNU_FORMAT
) -> bytes:
    """Return a whole tar file; content follows its header as it is, whatever size the header tells."""
    out = io.BytesIO()
    for info, data in members:
        out.write(info.tobuf(style))
        out.write(data + bytes(-len(data) % 512))
    return out.getvalue() + bytes(1024)


def gzipped(path: Path, data: bytes) -> Path:
    """Write it compressed in the form that our builder writes."""
    blocks = (memoryview(data)[at : at + MEMBER_BYTES] for at in range(0, len(data), MEMBER_BYTES))
    path.write_bytes(b"".join(piece for block in blocks for piece in gzip_member(block, DEFLATER)))
    return path


def packed(path: Path, files: Mapping[str, bytes], *extra: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Write an archive of these files in this order, with our headers, and further members behind them."""
    return gzipped(path, b"".join(own_members(files)) + tar_bytes(extra))


def own_members(files: Mapping[str, bytes]) -> Iterator[bytes]:
    """Yield the members for these files and their directories, with headers such as our builder writes."""
    known: set[str] = set()
    for name, data in files.items():
        for end in (at for at, character in enumerate(name) if character == "/"):
            if name[:end] not in known:
                known.add(name[:end])
                yield encode_header(name[:end].encode(), size=0, mode=0o755, mtime=0, directory=True)
        mode = 0o755 if "keadm" in name else 0o644
        yield encode_header(name.encode(), size=len(data), mode=mode, mtime=0) + data + bytes(-len(data) % 512)


def files_below(directory: Path) -> dict[str, bytes]:
    """Return path -> bytes of every file below a directory, partial ones included."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
