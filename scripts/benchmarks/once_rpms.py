"""What is timed on our side of the RPM benchmarks, in a process of its own."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from bundler.model.digest import Blob, Digest
from bundler.rpm.metadata.repodata import RepoPackage, write_repodata

BUILT_S = 1_600_000_000


def digests(listing: Path) -> None:
    """Replace a list of paths by one of paths, SHA-256 and sizes, as a lock has them."""
    found = []
    for path in map(Path, json.loads(listing.read_text())):
        if path.is_file():
            with path.open("rb") as file:
                found.append((str(path), hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size))
    listing.with_suffix(".digests").write_text(json.dumps(found))


def repodata(listing: Path, out: Path) -> None:
    """Write the repodata of the listed packages."""
    packages = [
        RepoPackage(Path(path), Path(path).name, Blob(Digest("sha256", hexadecimal), size), BUILT_S)
        for path, hexadecimal, size in json.loads(listing.with_suffix(".digests").read_text())
    ]
    for path, content in write_repodata(packages).items():
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


if __name__ == "__main__":
    action, *paths = sys.argv[1:]
    if action == "digests":
        digests(Path(paths[0]))
    else:
        repodata(Path(paths[0]), Path(paths[1]))
