"""A small bundle with a part for edges, the edge.sh of it, and what a run of that has to come to."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

from bundler.archive.checked_index import check_index
from bundler.archive.verify import verify_tree
from bundler.model.bundle_path import BundlePath
from bundler.model.placement import Placement
from bundler.model.platform import Platform
from bundler.model.progress import Unwatched
from mirror.client.edge_script import edge_script
from tests.fakes.store import MemoryStore
from tests.sources import unpack
from tests.unit.archive.bundles import Sample, bundle_of, files_below

AMD64, ARM64, ARM = Platform("linux", "amd64"), Platform("linux", "arm64"), Platform("linux", "arm", "v7")
BIG = random.Random(11).randbytes(2_000_000)
BUNDLER = b'#!/bin/sh\n[ "$1" = activate ] && cd "$4" && rm -f current && ln -s "$2" current\n'
FILES: dict[str, tuple[bytes, tuple[str, ...], tuple[Platform, ...]]] = {
    "bin/bundler": (BUNDLER, (), ()),
    "runtime/x86_64/keadm-python": (b"x86", (), (AMD64,)),
    "runtime/aarch64/keadm-python": (b"arm", (), (ARM64,)),
    "kubeedge/keadm": (b"for everybody", ("cloud", "edge"), ()),
    "kubeedge/big keadm % 'quoted'": (BIG, ("edge",), ()),
    "kubeedge/empty": (b"", ("edge",), ()),
    "kubeedge/cloudcore": (b"cloud's", ("cloud",), ()),
    "kubeedge/arm": (b"32 bits", ("edge",), (ARM,)),
}
MINE = {
    *("bin/bundler", "runtime/x86_64/keadm-python", "kubeedge/keadm", "kubeedge/big keadm % 'quoted'"),
    *("kubeedge/empty", "bundle.json", "SHA256SUMS", "manifest.yaml", "lock.json"),
}
TOOLS = (
    "awk",
    "cat",
    "chmod",
    "df",
    "grep",
    "ln",
    "ls",
    "mkdir",
    "mv",
    "readlink",
    "rm",
    "sh",
    "sleep",
    "sort",
    "sync",
    "tr",
    "uname",
    "wc",
)
WITHIN_S = 120


def made(scratch: Path, name: str, files: dict[str, tuple[bytes, tuple[str, ...], tuple[Platform, ...]]]) -> Path:
    store = MemoryStore(scratch / f"{name}.store")
    placements = [
        Placement(
            BundlePath(path),
            store.put(data),
            "files",
            mode=0o755 if path == "bin/bundler" else 0o644,
            roles=roles,
            platforms=platforms,
        )
        for path, (data, roles, platforms) in files.items()
    ]
    Sample(bundle_of(placements), store).write(scratch / f"{name}.tar.gz")
    return unpack(scratch / f"{name}.tar.gz", scratch / name, Unwatched()).directory


def script(tree: Path, url: str, directory: Path) -> tuple[Path, str]:
    """Write the script for a tree behind a URL; return it, and the name of the bundle's directory."""
    checked = check_index((tree / "bundle.json").read_bytes(), str(tree))
    name = f"demo-{checked.id[:12]}"
    file = directory / "edge.sh"
    file.write_text(edge_script(checked.listed.values(), name=name, bundle_id=checked.id, base_url=url))
    return file, name


def run(
    shell: str, file: Path, *words: str, code: int = 0, path: str = os.environ["PATH"], **variables: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*shell.split(), "-s", "--", *words],
        stdin=file.open("rb"),
        cwd=file.parent,
        env={"PATH": path, **variables},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def is_whole(root: Path, name: str) -> None:
    tree = root / name
    assert files_below(tree).keys() - {"subset.json"} == MINE
    report = verify_tree(tree, Unwatched(), strict=True)
    assert (report.intact, report.left_out, report.ownership.other_modes) == (True, 3, ())
    assert (tree / "bin/bundler").stat().st_mode & 0o7777 == 0o755
    assert (root / "current").readlink() == Path(name)
    assert {path.name for path in root.iterdir()} == {name, "current"}
