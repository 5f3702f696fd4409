"""Package headers that claim more than they hold, and key files as vendors publish them, read by ours and by rpm-rs."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rpm_rs

from bundler.rpm.signing.keys import read_keys
from bundler.rpm.signing.rpm_file import read_rpm
from scripts.benchmarks.alternatives.comparison import Row, refusals
from tests.fakes.rpm_layout import REGION_IMMUTABLE, Entry, read_header, take_apart, write_header
from tests.fakes.small_rpms import SmallRpm

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = Path(__file__).parents[3] / "tests" / "data" / "keys"
# those of tests/data/keys that are whole: armored and binary, RSA, DSA and Ed25519, expired, revoked, with subkeys
GOOD_KEYS = (
    *("rsa.asc", "rsa.gpg", "dsa.asc", "headers.asc", "two-blocks.asc", "two-keys-in-one-block.asc"),
    *("two-subkeys.asc", "revoked.asc", "expires-2017.asc", "extended-to-2019.asc"),
)
# rpmtag.h has types 0 to 9; that many items fit into no file
TYPES, COUNTS = range(10), (0x0FFFFFFF, 0xFFFFFFFF)
UNUSED_TAG = 9999
_READ = "import sys, rpm_rs; rpm_rs.PackageMetadata.from_bytes(open(sys.argv[1], 'rb').read())"


def rows(directory: Path) -> Iterator[Row]:
    """Yield the comparisons; the packages are written below a directory."""
    packages = [_lying(directory, kind, count) for kind in TYPES for count in COUNTS]
    # a reader that aborts would take this process along
    ended = [subprocess.run([sys.executable, "-c", _READ, path], capture_output=True, check=False) for path in packages]
    codes = [done.returncode for done in ended]
    count = str(len(packages))
    yield Row(
        "RPM: headers that claim more items than they hold: refused",
        str(refusals(_read, packages)),
        str(sum(code > 0 for code in codes)),
        count,
    )
    yield Row("RPM: of these, the reading process is ended by SIGABRT", "0", str(codes.count(-signal.SIGABRT)), count)
    keys = [(KEYS / name).read_bytes() for name in GOOD_KEYS]
    ours = len(keys) - refusals(lambda data: read_keys(data, "a key"), keys)
    theirs = len(keys) - refusals(rpm_rs.Verifier, keys)
    yield Row("OpenPGP: key files that can be opened", str(ours), str(theirs), str(len(keys)))


def _lying(directory: Path, kind: int, count: int) -> Path:
    parts = take_apart(SmallRpm("app").content())
    entries, _ = read_header(parts.header, 0)
    header = write_header([*entries, Entry(UNUSED_TAG, kind, count, bytes(8))], REGION_IMMUTABLE)
    path = directory / f"type-{kind}-{count}.rpm"
    path.write_bytes(parts.with_header(header).with_digests().joined())
    return path


def _read(path: Path) -> None:
    with path.open("rb") as file:
        read_rpm(file, path.name)
