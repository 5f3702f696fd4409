"""A bundle's archive that somebody tampered with or cut, read by ours and by tarfile, and the writing of headers."""

from __future__ import annotations

import tarfile
import timeit
from typing import TYPE_CHECKING

from bundler.archive.tar_header import encode_header
from bundler.archive.verify import verify_archive
from bundler.archive.verify_report import require_intact
from bundler.model.progress import Unwatched
from scripts.benchmarks.alternatives.comparison import Row, refusals
from tests.unit.archive.bundles import gzipped, member, packed, sample, tar_bytes, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK_BYTES = 512
HEADERS = 20_000
PATH = "kubeedge/crds/devices/devices_v1alpha2_device.yaml"
# each of them is one member too many at the end of a bundle that is whole otherwise
HOSTILE = (
    member("/etc/absolute"),
    member("../escape"),
    member("kubeedge/../../escape"),
    member("kubeedge/./x"),
    member("back\\slash"),
    member("new\nline"),
    member("caf\udce9"),
    member("kubeedge/keadm-amd64"),
    member("./kubeedge//keadm-amd64/", type=tarfile.DIRTYPE),
    member("kubeedge/keadm-amd64/", type=tarfile.DIRTYPE),
    member("yum2", b"x" * BLOCK_BYTES, type=tarfile.DIRTYPE),
    member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    member("link", type=tarfile.SYMTYPE, linkname="bundle.json"),
    member("link", type=tarfile.LNKTYPE, linkname="../outside"),
    member("kubeedge/device", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    member("kubeedge/device", type=tarfile.BLKTYPE),
    member("kubeedge/fifo", type=tarfile.FIFOTYPE),
    member("kubeedge/sparse", type=tarfile.GNUTYPE_SPARSE),
)


def rows(directory: Path) -> Iterator[Row]:
    """Yield the comparisons; their archives are written below a directory."""
    bundle = sample(directory / "bundle")
    tree = tree_of(bundle.bundle, bundle.store.blobs)
    whole = tar_bytes([member(name, data) for name, data in tree.items()])
    lengths = range(BLOCK_BYTES, len(whole) - BLOCK_BYTES, BLOCK_BYTES)
    yield _row(
        "archives with a hostile member: refused",
        [packed(directory / f"hostile-{number}.tar.gz", tree, one) for number, one in enumerate(HOSTILE)],
    )
    yield _row(
        "archives cut between two blocks: refused",
        [gzipped(directory / f"cut-{length}.tar.gz", whole[:length]) for length in lengths],
    )
    ours, theirs = (timeit.timeit(make, number=HEADERS) / HEADERS * 1e6 for make in (_our_header, _their_header))
    yield Row("a header written, us", f"{ours:.3g}", f"{theirs:.3g}")


def _row(name: str, archives: list[Path]) -> Row:
    ours, theirs = (refusals(read, archives) for read in (_our_reader, _their_reader))
    return Row(f"tar: {name}", str(ours), str(theirs), str(len(archives)))


def _our_reader(archive: Path) -> None:
    require_intact(verify_archive(archive, Unwatched()))


def _their_reader(archive: Path) -> None:
    """Extract with the filter that the standard library has for archives of strangers (PEP 706)."""
    with tarfile.open(archive) as opened:
        opened.extractall(archive.with_suffix(".d"), filter="data")


def _our_header() -> bytes:
    return encode_header(PATH.encode(), size=5000, mode=0o644, mtime=1_600_000_000)


def _their_header() -> bytes:
    info = tarfile.TarInfo(PATH)
    info.size, info.mode, info.mtime, info.uname, info.gname = 5000, 0o644, 1_600_000_000, "root", "root"
    return info.tobuf(tarfile.GNU_FORMAT)
