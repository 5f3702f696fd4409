"""What is timed on our side: one assembly from a store, or one unpacking, in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from bundler.archive.bundle_files import BundleFiles, bundle_files
from bundler.archive.unpack import unpack
from bundler.archive.writer import write_archive
from bundler.model.bundle_path import BundlePath
from bundler.model.digest import Blob, Digest
from bundler.model.placement import Placement
from bundler.model.platform import Platform
from bundler.model.progress import Unwatched
from bundler.source.open_source import open_source
from bundler.store.verified_files import VerifiedFiles

SOURCE_DATE = 1_600_000_000


def bundle_of(store: Path) -> BundleFiles:
    """Return a bundle of every entry of the store."""
    placements = [
        Placement(
            BundlePath(f"files/{path.name}"),
            Blob(Digest("sha256", path.name), path.stat().st_size),
            "files",
            mtime=SOURCE_DATE,
        )
        for path in store.iterdir()
    ]
    return bundle_files(
        placements,
        name="bench",
        release="",
        platforms=[Platform("linux", "amd64")],
        manifest=Digest.sha256(b""),
        manifest_text=b"version: 1\nname: bench\n",
        lock_text=(b"{}\n",),
    )


def assemble(store: Path, out: Path) -> None:
    """Write a bundle of every entry of the store."""
    write_archive(
        bundle_of(store).files,
        store_path=lambda blob: store / blob.digest.hex,
        out=out,
        task=Unwatched(),
        checksums=VerifiedFiles(store.with_name("witness")),
    )


if __name__ == "__main__":
    action, source, target = sys.argv[1:]
    if action == "assemble":
        assemble(Path(source), Path(target))
    else:
        with open_source(source) as reader:
            unpack(reader, Path(target), Unwatched())
