"""The sample packages of createrepo_c's source archive, as they are: made by others, with what nobody here thinks of.

The archive comes from the package index once per checkout and lies in .venv; workers of one run wait for each other.
Without a network the tests skip, which CI forbids.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import pytest

from tests.contract.checkout import ROOT

# a release whose source archive is published, and the same packages for everybody
ARCHIVE = "createrepo_c==1.2.4.post1"
WITHIN = PurePosixPath("tests/testdata/packages")
FETCH_WITHIN_S = 300
ATTEMPTS = 3
MAX_SAMPLE_BYTES = 1024 * 1024


def sample_rpms() -> tuple[Path, ...]:
    """Return the files, sorted by name, fetching them when this checkout does not have them yet."""
    directory = ROOT / ".venv" / f"samples-{ARCHIVE.replace('==', '-')}"
    directory.parent.mkdir(exist_ok=True)
    with (directory.parent / "samples.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not directory.exists():
            _fetch(directory)
    return tuple(sorted(directory.iterdir()))


def _fetch(directory: Path) -> None:
    with tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        said = ""
        for _ in range(ATTEMPTS):
            said = _download(Path(scratch))
            if archives := list(Path(scratch).glob("*.tar.gz")):
                unfinished = Path(scratch) / "packages"
                unfinished.mkdir()
                _unpack(archives[0], unfinished)
                unfinished.rename(directory)
                return
    pytest.skip(f"the source archive of {ARCHIVE} cannot be had: {said}")


def _download(scratch: Path) -> str:
    """Ask pip for the source archive; return the end of what it said."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", ":all:", "--dest", str(scratch), ARCHIVE]
    # pip would keep its copies in TMPDIR
    environment = {**os.environ, "TMPDIR": str(scratch)}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=FETCH_WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"pip took more than {FETCH_WITHIN_S} s"
    return done.stderr[-500:]


def _unpack(archive: Path, directory: Path) -> None:
    with tarfile.open(archive) as packed:
        for member in packed:
            path = PurePosixPath(member.name)
            if path.suffix != ".rpm" or path.parent != PurePosixPath(*path.parts[:1], WITHIN):
                continue
            file = packed.extractfile(member)
            assert file is not None, member.name
            assert member.size <= MAX_SAMPLE_BYTES, member.name
            (directory / path.name).write_bytes(file.read())
