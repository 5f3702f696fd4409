"""Whatever stops a build, the next one ends with the same bytes and fetches no more than it must."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.e2e.upstream import COMMAND_WITHIN_S, Upstream, names, run, sha256, start
from tests.fakes.faulty_server import Stall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ARRIVED_BYTES = 2_000_000
# long enough to be caught while it is being written
LARGE_BYTES = 400_000_000
# holds the store and the archive, as the plan reckons them, and little more
DISK_BYTES = 24_000_000


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Look again and again until the condition holds; AssertionError when the process ends first."""
    deadline = time.monotonic() + COMMAND_WITHIN_S
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline


def build_cut_off(source: Upstream, tmp_path: Path, manifest: Path, number: signal.Signals) -> int:
    """Build, send the signal when the big file has half arrived, and return the exit code."""
    source.files.files["/big.bin"].faults.append(Stall(ARRIVED_BYTES))
    with start(tmp_path, "build", manifest, "-o", "out.tar.gz", "--locked") as process:
        assert source.files.stalled.acquire(timeout=COMMAND_WITHIN_S)
        until(lambda: partial_bytes(tmp_path) >= ARRIVED_BYTES, process)
        process.send_signal(number)
        process.communicate(timeout=COMMAND_WITHIN_S)
    return process.returncode


def partial_bytes(tmp_path: Path) -> int:
    """Return the size of the largest unfinished download."""
    sizes = [0]
    directory = tmp_path / "store" / "partial"
    for path in directory.iterdir() if directory.exists() else ():
        # it may be complete, and so renamed, by now
        with suppress(FileNotFoundError):
            sizes.append(path.stat().st_size)
    return max(sizes)


@pytest.fixture
def locked(source: Upstream, tmp_path: Path) -> Path:
    """A manifest with its lock, built once to know the right bytes (`want.tar.gz`); the store is empty again."""
    manifest = source.manifest()
    run(tmp_path, "build", manifest, "-o", "want.tar.gz", BUNDLER_STORE=str(tmp_path / "other-store"))
    return manifest


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["kill", "int", "term"]
)
def test_a_download_cut_off_is_resumed(
    source: Upstream, tmp_path: Path, locked: Path, number: signal.Signals, code: int
) -> None:
    before = source.files.bytes_sent("/big.bin")
    assert build_cut_off(source, tmp_path, locked, number) == code
    assert not (tmp_path / "out.tar.gz").exists()
    run(tmp_path, "build", locked, "-o", "out.tar.gz", "--locked")
    assert sha256(tmp_path / "out.tar.gz") == sha256(tmp_path / "want.tar.gz")
    assert source.files.bytes_sent("/big.bin") - before == len(source.big)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill", "int"])
def test_assembly_cut_off_starts_again_from_the_store(source: Upstream, tmp_path: Path, number: signal.Signals) -> None:
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(LARGE_BYTES)
    manifest = source.manifest("{path: large, url: large.bin}")
    run(tmp_path, "lock", manifest)
    partial = tmp_path / "out" / ".allinone.tar.gz.partial"
    (tmp_path / "out").mkdir()
    with start(tmp_path, "build", manifest, "-o", "out") as process:
        until(lambda: partial.exists() and partial.stat().st_size > 0, process)
        process.send_signal(number)
        process.communicate(timeout=COMMAND_WITHIN_S)
    assert process.returncode != 0
    assert names(tmp_path / "out") == ([partial.name] if number is signal.SIGKILL else [])
    asked = len(source.registry.requests())
    run(tmp_path, "build", manifest, "-o", "out")
    run(tmp_path, "build", manifest, "-o", "again.tar.gz")
    assert names(tmp_path / "out") == ["allinone.tar.gz", "allinone.tar.gz.sha256"]
    assert sha256(tmp_path / "out" / "allinone.tar.gz") == sha256(tmp_path / "again.tar.gz")
    assert len(source.registry.requests()) == asked


def test_two_builds_at_once_share_one_store(source: Upstream, tmp_path: Path, locked: Path) -> None:
    before = source.files.bytes_sent("/big.bin")
    asked = len(source.registry.requests())
    with (
        start(tmp_path, "build", locked, "--locked", "-o", "one.tar.gz") as one,
        start(tmp_path, "build", locked, "--locked", "-o", "two.tar.gz") as two,
    ):
        for process in (one, two):
            _, err = process.communicate(timeout=COMMAND_WITHIN_S)
            assert process.returncode == 0, err
    assert sha256(tmp_path / "one.tar.gz") == sha256(tmp_path / "two.tar.gz") == sha256(tmp_path / "want.tar.gz")
    assert source.files.bytes_sent("/big.bin") - before == len(source.big)
    blobs = [line for line in source.registry.requests()[asked:] if line.startswith("GET") and "/blobs/" in line]
    assert len(blobs) == len(set(blobs))


def test_two_builds_of_one_archive_do_not_mix(source: Upstream, tmp_path: Path, locked: Path) -> None:
    with (
        start(tmp_path, "build", locked, "--locked", "-o", "same.tar.gz") as one,
        start(tmp_path, "build", locked, "--locked", "-o", "same.tar.gz") as two,
    ):
        for process in (one, two):
            _, err = process.communicate(timeout=COMMAND_WITHIN_S)
            assert process.returncode == 0, err
    assert sha256(tmp_path / "same.tar.gz") == sha256(tmp_path / "want.tar.gz")
    subprocess.run(["sha256sum", "-c", "--quiet", "same.tar.gz.sha256"], cwd=tmp_path, check=True, timeout=60)
    assert len(source.files.asked) > 0


def test_a_damaged_store_entry_is_found_and_fetched_again(tmp_path: Path, locked: Path) -> None:
    run(tmp_path, "build", locked, "-o", "first.tar.gz")
    damaged = max((path for path in (tmp_path / "store" / "sha256").rglob("*") if path.is_file()), key=size_of)
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.chmod(0o644)
    damaged.write_bytes(content)
    told = run(tmp_path, "build", locked, "-o", "again.tar.gz").stderr
    assert f"{damaged.name} is damaged in the store" in told
    assert sha256(tmp_path / "again.tar.gz") == sha256(tmp_path / "want.tar.gz")


def size_of(path: Path) -> int:
    """Return a file's size in bytes."""
    return path.stat().st_size


@contextmanager
def small_disk(directory: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a file system of that size; only root can."""
    directory.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", directory], check=True, timeout=60)
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True, timeout=60)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_a_disk_too_small_is_refused_before_anything_is_downloaded(source: Upstream, tmp_path: Path) -> None:
    manifest = source.manifest()
    with small_disk(tmp_path / "disk", 2_000_000) as disk:
        told = run(tmp_path, "build", manifest, code=11, BUNDLER_STORE=str(disk / "store")).stderr
        assert "[disk-full]" in told
        told = run(tmp_path, "plan", manifest, code=11, BUNDLER_STORE=str(disk / "store")).stdout
        assert "to fetch" in told
    assert source.files.bytes_sent("/big.bin") == 0
    assert not (tmp_path / "allinone.tar.gz").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
def test_a_disk_that_fills_up_leaves_nothing_half_written(source: Upstream, tmp_path: Path, locked: Path) -> None:
    with small_disk(tmp_path / "disk", DISK_BYTES) as disk:
        # the plan sees room enough, then somebody else takes it
        source.files.files["/big.bin"].faults.append(Stall(ARRIVED_BYTES))
        with start(tmp_path, "build", locked, "-o", disk / "out.tar.gz", BUNDLER_STORE=str(disk / "store")) as process:
            assert source.files.stalled.acquire(timeout=COMMAND_WITHIN_S)
            until(lambda: partial_bytes(disk) >= ARRIVED_BYTES, process)
            with suppress(OSError):
                (disk / "others").write_bytes(bytes(DISK_BYTES))
            source.files.released.set()
            _, err = process.communicate(timeout=COMMAND_WITHIN_S)
        assert process.returncode == 11, err
        assert "[disk-full]" in err
        assert not (disk / "out.tar.gz").exists()
        (disk / "others").unlink()
        run(tmp_path, "build", locked, "-o", disk / "out.tar.gz", BUNDLER_STORE=str(disk / "store"))
        assert sha256(disk / "out.tar.gz") == sha256(tmp_path / "want.tar.gz")
